"""The parts together: configuration, plug-ins, the pipeline and its drivers."""
