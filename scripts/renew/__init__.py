"""What scripts/updates.py is made of: a gateway whose filter is delivered as Istio does, a load at a steady rate, and what is
measured."""
