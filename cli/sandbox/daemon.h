/*
 * daemon: the process behind a sandbox: the cluster on one loop, and stint-scheduler as its child.
 */
#ifndef STINT_CLI_SANDBOX_DAEMON_H
#define STINT_CLI_SANDBOX_DAEMON_H

#include <stint/sandbox.h>

struct daemon_options {
	const char *folder; /* absolute */
	struct stint_sandbox_options cluster;
	bool scheduler; /* start stint-scheduler */
	int lock_fd; /* of state_lock; handed over */
};

/*
 * Starts the daemon in the background and waits until the cluster is ready. Its output goes to sandbox.log. An error of the start is
 * given back here, and then nothing is left running; so it is with SIGINT, SIGTERM and SIGHUP meanwhile (STINT_INTERRUPTED). The daemon
 * ends on its own when its folder is taken away, and when nobody waits any more for the end of its start.
 */
bool daemon_start(const struct daemon_options *options, struct stint_error **err);
/* Asks the daemon to end and waits until it has; after ten seconds it is killed. */
bool daemon_stop(const char *folder, pid_t pid, struct stint_error **err);

#endif
