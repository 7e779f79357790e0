"""`testbed adopt`: a bed for a repository that exists, from what it says of itself."""
