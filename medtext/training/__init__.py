"""How the models were trained, and how to train them on: needs the extra `train`."""
