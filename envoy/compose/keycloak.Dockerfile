# Keycloak, made ready once: without this it spends half a minute of every start on it, and writes into its own folders.
FROM quay.io/keycloak/keycloak:26.7.3
ENV KC_DB=dev-file KC_CACHE=local KC_FEATURES=ssf KC_HEALTH_ENABLED=true
RUN /opt/keycloak/bin/kc.sh build
