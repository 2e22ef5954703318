"""The typed evidence that checks give and screens draw: plain data, no device, cheap to import."""
