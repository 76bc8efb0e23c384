"""What the pages share: theme, icons, dialogs, plots, work in the background."""
