"""What the system does by itself: the store, the referral's flow, the worker, the watchdog."""
