"""Networks as PyTorch modules, one file per architecture; needs the extra `train`."""
