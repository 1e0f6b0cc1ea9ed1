"""Tests of infer."""
