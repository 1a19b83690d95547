"""What happens: each service gathers, decides by the rules, and applies, in one transaction. No service calls another."""
