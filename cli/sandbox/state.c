/*
 * state: see state.h.
 */
#include "cli/sandbox/state.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MAX_STATE = 64 * 1024, MAX_TRIES = 100 };

static const char lock_name[] = "sandbox.pid", state_name[] = "sandbox.json", log_name[] = "sandbox.log", old_log_name[] = "sandbox.log.1";

char *state_path(const char *folder, const char *name)
{
	return stint_format("%s/%s", folder, name);
}

char *state_shell_word(const char *text)
{
	static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789/._-+,:@%";
	stint_auto_buf word = {0};
	if (*text && text[strspn(text, plain)] == '\0')
		return stint_strdup(text);
	stint_buf_putc(&word, '\'');
	for (const char *c = text; *c; c++) {
		if (*c == '\'')
			stint_buf_puts(&word, "'\\''");
		else
			stint_buf_putc(&word, *c);
	}
	stint_buf_putc(&word, '\'');
	return stint_buf_steal(&word);
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

/* ---- the pid file: "PID\nstint-sandbox made\n", or "found" where the folder was there before us ------------------------------- */

struct mark {
	pid_t pid; /* 0: not written yet */
	bool ours, made;
};

static struct mark read_mark(int fd)
{
	char text[64] = "";
	int64_t pid = 0;
	struct mark mark = {0};
	ssize_t length = pread(fd, text, sizeof(text) - 1, 0);
	char *rest = length > 0 ? strchr(text, '\n') : NULL;
	if (!rest)
		return mark;
	*rest++ = '\0';
	mark.pid = stint_parse_int(text, 1, INT32_MAX, &pid) ? (pid_t)pid : 0;
	mark.made = strcmp(rest, "stint-sandbox made\n") == 0;
	mark.ours = mark.made || strcmp(rest, "stint-sandbox found\n") == 0;
	return mark;
}

static bool write_mark(int fd, pid_t pid, bool made, struct stint_error **err)
{
	stint_autofree char *text = stint_format("%ld\nstint-sandbox %s\n", (long)pid, made ? "made" : "found");
	if (ftruncate(fd, 0) != 0 || pwrite(fd, text, strlen(text), 0) != (ssize_t)strlen(text))
		return stint_fail_errno(err, errno, "the process id of the sandbox cannot be written");
	return true;
}

bool state_write_pid(int fd, pid_t pid, struct stint_error **err)
{
	return write_mark(fd, pid, read_mark(fd).made, err);
}

/* ---- the lock ---------------------------------------------------------------------------------------------------------------- */

/* A lock of the open file, not of the process: the daemon inherits it, and asking for it does not take it. */
static bool lock_file(int fd, int command, struct flock *lock)
{
	*lock = (struct flock){.l_type = F_WRLCK, .l_whence = SEEK_SET};
	return fcntl(fd, command, lock) == 0;
}

static bool is_locked(int fd)
{
	struct flock lock;
	return lock_file(fd, F_OFD_GETLK, &lock) && lock.l_type != F_UNLCK;
}

/* Anything in there but the pid file. */
static bool has_others(const char *folder)
{
	DIR *dir = opendir(folder);
	bool found = !dir;
	for (struct dirent *entry; dir && !found && (entry = readdir(dir));)
		found = strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0 && strcmp(entry->d_name, lock_name) != 0;
	if (dir)
		closedir(dir);
	return found;
}

bool state_holds(const char *folder, int fd)
{
	struct stat there, held;
	stint_autofree char *path = state_path(folder, lock_name);
	return lstat(path, &there) == 0 && fstat(fd, &held) == 0 && there.st_ino == held.st_ino && there.st_dev == held.st_dev;
}

static bool refuse_running(const char *folder, pid_t pid, struct stint_error **err)
{
	stint_autofree char *quoted = state_shell_word(folder);
	if (pid == 0)
		return stint_fail(err, STINT_CONFLICT,
			"a sandbox starts or ends in %s just now: try again, or end it with `stint sandbox down --dir %s`", folder, quoted);
	return stint_fail(err, STINT_CONFLICT,
		"a sandbox runs in %s already (process %ld): use it, or end it with `stint sandbox down --dir %s`", folder, (long)pid,
		quoted);
}

static bool refuse_foreign(const char *folder, struct stint_error **err)
{
	return stint_fail(
		err, STINT_USAGE, "%s is not empty and not the folder of a sandbox: name a new or an empty folder with --dir", folder);
}

/* One try; *fd stays -1 without an error when a sandbox that ended took the file away meanwhile. */
static bool try_lock(const char *folder, int *fd, struct stint_error **err)
{
	bool made = access(folder, F_OK) != 0 && errno == ENOENT;
	if (!stint_make_folders(folder, 0700, err))
		return false;
	stint_autofree char *path = state_path(folder, lock_name);
	stint_autoclose int file = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	if (file < 0 && errno == ENOENT) {
		if (has_others(folder))
			return access(path, F_OK) == 0 || refuse_foreign(folder, err); /* there now: another one starts */
		file = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
		if (file < 0 && errno == ENOENT)
			return true;
	}
	if (file < 0)
		return stint_fail_errno(err, errno, "%s cannot be opened", path);
	struct flock lock;
	if (!lock_file(file, F_OFD_SETLK, &lock)) {
		if (errno == EAGAIN || errno == EACCES)
			return refuse_running(folder, read_mark(file).pid, err);
		return stint_fail_errno(err, errno, "%s cannot be locked", path);
	}
	if (!state_holds(folder, file))
		return true;
	struct stat info;
	struct mark mark = read_mark(file);
	if (!mark.ours && (fstat(file, &info) != 0 || info.st_size > 0 || has_others(folder)))
		return refuse_foreign(folder, err);
	if (!write_mark(file, getpid(), made || mark.made, err))
		return false;
	*fd = file;
	file = -1;
	return true;
}

bool state_lock(const char *folder, int *fd, struct stint_error **err)
{
	*fd = -1;
	for (int tries = 0; tries < MAX_TRIES; tries++) {
		if (!try_lock(folder, fd, err))
			return false;
		if (*fd >= 0)
			return true;
	}
	return refuse_running(folder, 0, err);
}

pid_t state_running(const char *folder)
{
	stint_autofree char *path = state_path(folder, lock_name);
	stint_autoclose int file = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	return file >= 0 && is_locked(file) ? read_mark(file).pid : 0;
}

/* ---- what the daemon tells about itself ---------------------------------------------------------------------------------------- */

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

void state_trim_log(const char *folder, int fd, off_t most)
{
	struct stat info;
	if (fstat(fd, &info) != 0 || info.st_size <= most)
		return;
	stint_autofree char *path = state_path(folder, log_name), *old_path = state_path(folder, old_log_name);
	stint_autoclose int in = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	stint_autoclose int out = open(old_path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	off_t from = info.st_size - most;
	while (in >= 0 && out >= 0 && from < info.st_size && sendfile(out, in, &from, (size_t)(info.st_size - from)) > 0)
		;
	/* Where there is no room for a copy, all the more is to be given back. */
	if (ftruncate(fd, 0) != 0)
		return; /* the next look tries again */
}

/* ---- the end ------------------------------------------------------------------------------------------------------------------- */

static void remove_file(const char *folder, const char *name)
{
	stint_autofree char *path = state_path(folder, name);
	unlink(path);
}

void state_clear(const char *folder, int fd, bool keep_log)
{
	static const char *const names[] = {"kubeconfig", "ca.crt", "admin.crt", "admin.key", state_name};
	struct mark mark = read_mark(fd);
	if (!mark.ours || !state_holds(folder, fd))
		return; /* somebody took the folder away; what is there now is not this sandbox's */
	for (size_t i = 0; i < STINT_COUNT(names); i++)
		remove_file(folder, names[i]);
	if (keep_log)
		return;
	remove_file(folder, log_name);
	remove_file(folder, old_log_name);
	remove_file(folder, lock_name); /* the last, as it is the mark */
	if (mark.made)
		rmdir(folder); /* stays when somebody else keeps files there */
}

void state_clear_stale(const char *folder)
{
	stint_autofree char *path = state_path(folder, lock_name);
	stint_autoclose int file = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	struct flock lock;
	if (file >= 0 && lock_file(file, F_OFD_SETLK, &lock))
		state_clear(folder, file, false);
}
