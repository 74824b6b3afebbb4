-- When the issuer made the token that the attributes are from; null if no gateway ever said.

ALTER TABLE accounts ADD COLUMN attributes_issued_at INTEGER;
