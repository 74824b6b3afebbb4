-- An issuer's accounts are listed in the order in which they were made, as all are.

CREATE INDEX accounts_by_issuer ON accounts (issuer, id);
