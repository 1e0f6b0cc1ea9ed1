"""Phase pickers: neural networks, and the classical STA/LTA with AIC."""
