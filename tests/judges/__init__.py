"""torch as the judge, over the sample inputs and configurations that torch keeps for its own tests."""
