"""The composed stack, envoy/compose.yaml: how it is started and stopped, Keycloak's API, and the tour."""
