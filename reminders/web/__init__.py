"""What the outside asks over HTTP: webhooks, health, and a page that shows how things stand. It asks services and shows values."""
