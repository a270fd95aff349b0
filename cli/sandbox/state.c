/*
 * state: see state.h.
 */
#include "cli/sandbox/state.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MAX_STATE = 64 * 1024, LOCK_TRIES = 10, LOCK_PAUSE_US = 5000 };

static const char lock_name[] = "sandbox.pid", state_name[] = "sandbox.json";

char *state_path(const char *folder, const char *name)
{
	return stint_format("%s/%s", folder, name);
}

char *state_folder(const char *given, struct stint_error **err)
{
	const char *base = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
	if (given && given[0] == '/')
		return stint_strdup(given);
	if (given) {
		stint_autofree char *here = getcwd(NULL, 0);
		if (!here)
			return stint_fail_errno(err, errno, "the current folder cannot be read, so \"%s\" leads nowhere", given), NULL;
		return stint_format("%s/%s", here, given);
	}
	if (base && base[0] == '/')
		return stint_format("%s/stint/sandbox", base);
	if (home && home[0] == '/')
		return stint_format("%s/.local/state/stint/sandbox", home);
	return stint_fail(err, STINT_USAGE, "neither XDG_STATE_HOME nor HOME is set: say where the sandbox lives with --dir"), NULL;
}

static pid_t read_pid(int fd)
{
	char text[32] = "";
	int64_t pid = 0;
	ssize_t length = pread(fd, text, sizeof(text) - 1, 0);
	if (length <= 0)
		return 0;
	text[strcspn(text, "\n")] = '\0';
	return stint_parse_int(text, 1, INT32_MAX, &pid) ? (pid_t)pid : 0;
}

/* Somebody who only asks whether a sandbox runs holds the lock for a moment too: that is waited for. */
static bool take_lock(int file)
{
	for (int tries = 0; flock(file, LOCK_EX | LOCK_NB) != 0; tries++) {
		if (errno != EWOULDBLOCK || tries == LOCK_TRIES)
			return false;
		usleep(LOCK_PAUSE_US);
	}
	return true;
}

bool state_lock(const char *folder, int *fd, struct stint_error **err)
{
	if (!stint_make_folders(folder, 0700, err))
		return false;
	stint_autofree char *path = state_path(folder, lock_name);
	stint_autoclose int file = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (file < 0)
		return stint_fail_errno(err, errno, "%s cannot be opened", path);
	if (!take_lock(file)) {
		if (errno == EWOULDBLOCK)
			return stint_fail(err, STINT_CONFLICT,
				"a sandbox runs in %s already (process %ld): use it, or end it with `stint sandbox down`", folder,
				(long)read_pid(file));
		return stint_fail_errno(err, errno, "%s cannot be locked", path);
	}
	/* The process that a crash left named here may be anybody by now: `down` must not meet it. */
	if (ftruncate(file, 0) != 0)
		return stint_fail_errno(err, errno, "%s cannot be emptied", path);
	*fd = file;
	file = -1;
	return true;
}

bool state_write_pid(int fd, pid_t pid, struct stint_error **err)
{
	stint_autofree char *text = stint_format("%ld\n", (long)pid);
	if (ftruncate(fd, 0) != 0 || pwrite(fd, text, strlen(text), 0) != (ssize_t)strlen(text))
		return stint_fail_errno(err, errno, "the process id of the sandbox cannot be written");
	return true;
}

pid_t state_running(const char *folder)
{
	stint_autofree char *path = state_path(folder, lock_name);
	stint_autoclose int file = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (file < 0)
		return 0;
	if (flock(file, LOCK_SH | LOCK_NB) == 0)
		return 0; /* nobody holds it; closing lets go of it again */
	return errno == EWOULDBLOCK ? read_pid(file) : 0;
}

struct stint_json *state_read(const char *folder)
{
	stint_autofree char *path = state_path(folder, state_name);
	stint_auto_buf text = {0};
	stint_auto_error *ignored = NULL;
	if (!stint_buf_read_file(&text, path, MAX_STATE, &ignored))
		return NULL;
	return stint_json_parse(text.data, text.length, 0, &ignored);
}

bool state_write(const char *folder, const struct stint_json *state, struct stint_error **err)
{
	stint_autofree char *path = state_path(folder, state_name);
	stint_autofree char *text = stint_json_print_pretty(state);
	return stint_file_write(path, text, strlen(text), 0600, err);
}

void state_clear_stale(const char *folder)
{
	stint_autofree char *path = state_path(folder, lock_name);
	stint_autoclose int file = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	if (file >= 0 && flock(file, LOCK_EX | LOCK_NB) == 0)
		state_clear(folder);
}

void state_clear(const char *folder)
{
	static const char *const names[] = {"kubeconfig", "ca.crt", "admin.crt", "admin.key", "sandbox.json"};
	for (size_t i = 0; i < STINT_COUNT(names); i++) {
		stint_autofree char *path = state_path(folder, names[i]);
		unlink(path);
	}
}
