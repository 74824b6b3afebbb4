"""What scripts/directory.py is made of: the directory as it is released, gateways before it, a load, and what is measured."""
from measure import TARGET

# Figures are of what users run.
RELEASED = TARGET / "release" / "firstsight"
