/*
 * state: the folder of a sandbox: who runs there, and since when.
 *
 * sandbox.pid is the mark of such a folder: without it a folder that holds anything is somebody else's and is left alone. The daemon locks
 * it as long as it lives and writes its process id there; a crash releases the lock, so nothing stale can stop the next start. It also
 * says whether the folder was made for the sandbox. All files, and a folder so made, go with the sandbox; a crash leaves them.
 */
#ifndef STINT_CLI_SANDBOX_STATE_H
#define STINT_CLI_SANDBOX_STATE_H

#include <stint/base.h>
#include <stint/text.h>

#include <sys/types.h>

/* The folder of --dir (NULL: ${XDG_STATE_HOME:-~/.local/state}/stint/sandbox), absolute. NULL: there is no home either. */
char *state_folder(const char *given, struct stint_error **err);
char *state_path(const char *folder, const char *name);
/* The text as one word of a POSIX shell: as it is where that is safe, else in single quotes. */
char *state_shell_word(const char *text);

/*
 * Makes the folder and takes the lock. *fd is the locked file; it must stay open, also in a child that is to share the lock.
 * STINT_CONFLICT when somebody holds it, naming who; STINT_USAGE when the folder is not empty and not a sandbox's.
 */
bool state_lock(const char *folder, int *fd, struct stint_error **err);
/* The process id goes into the locked file. */
bool state_write_pid(int fd, pid_t pid, struct stint_error **err);
/* Whether the folder is still there and its lock still the one held: false when somebody took either away. */
bool state_holds(const char *folder, int fd);
/* The daemon's process id, or that of the program that starts it; 0: none runs. */
pid_t state_running(const char *folder);
/* What the daemon has written about itself; NULL when it is not there. Owned by the caller. */
struct stint_json *state_read(const char *folder);
bool state_write(const char *folder, const struct stint_json *state, struct stint_error **err);
/*
 * When the log (fd: open for appending) has more than `most` bytes, its last `most` go to sandbox.log.1 in place of what was there, and it
 * begins anew. Those who have it open go on writing to it.
 */
void state_trim_log(const char *folder, int fd, off_t most);
/*
 * Takes away what the sandbox has written, and the folder when it was made for it. fd holds the lock; does nothing unless state_holds.
 * keep_log: the log stays, with the mark.
 */
void state_clear(const char *folder, int fd, bool keep_log);
/* The same for what a crash has left; does nothing where a sandbox runs or none has been. */
void state_clear_stale(const char *folder);

#endif
