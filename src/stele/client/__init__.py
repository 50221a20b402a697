"""What training code calls."""
