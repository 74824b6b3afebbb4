"""What scripts/arrivals.py is made of: tokens, a directory that does as it is told, the gateway (Envoy), clients, and what is
measured."""
