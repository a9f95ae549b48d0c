"""What each command does, by theme. A handler gets the decision in the making, the command, and the words that came with it."""
