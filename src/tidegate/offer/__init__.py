"""What is on offer, when, and at what price: campaign, catalogue, pricing."""
