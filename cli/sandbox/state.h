/*
 * state: the folder of a sandbox: who runs there, and since when.
 *
 * sandbox.pid is locked (flock) by the daemon as long as it lives and holds its process id; a crash releases the lock, so nothing stale
 * can stop the next start. sandbox.json, kubeconfig and the certificates are there while it runs; sandbox.log stays.
 */
#ifndef STINT_CLI_SANDBOX_STATE_H
#define STINT_CLI_SANDBOX_STATE_H

#include <stint/base.h>
#include <stint/text.h>

/* The folder of --dir (NULL: ${XDG_STATE_HOME:-~/.local/state}/stint/sandbox), absolute. NULL: there is no home either. */
char *state_folder(const char *given, struct stint_error **err);
char *state_path(const char *folder, const char *name);

/*
 * Makes the folder and takes the lock. *fd is the locked file; it must stay open. STINT_CONFLICT when somebody holds it, naming who.
 */
bool state_lock(const char *folder, int *fd, struct stint_error **err);
/* The process id goes into the locked file. */
bool state_write_pid(int fd, pid_t pid, struct stint_error **err);
/* The daemon's process id; 0: none runs, or it has not begun yet. */
pid_t state_running(const char *folder);
/* What the daemon has written about itself; NULL when it is not there. Owned by the caller. */
struct stint_json *state_read(const char *folder);
bool state_write(const char *folder, const struct stint_json *state, struct stint_error **err);
/* Takes away what is there only while a sandbox runs. The caller holds the lock. */
void state_clear(const char *folder);
/* The same for what a crash has left; nothing when a sandbox runs or starts there. */
void state_clear_stale(const char *folder);

#endif
