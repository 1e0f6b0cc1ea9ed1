"""The training room: data sets, labels, augmentation, the loop, and export to ONNX."""
