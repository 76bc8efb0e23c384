"""Self-supervised methods: nets and losses."""
