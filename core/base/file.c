/*
 * Files: reading within a bound, writing whole or not at all, making folders.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <stint/base.h>

bool stint_buf_read_file(struct stint_buf *buf, const char *path, size_t max_bytes, struct stint_error **err)
{
	bool standard_input = strcmp(path, "-") == 0;
	stint_autoclose int opened = -1;
	if (!standard_input) {
		opened = open(path, O_RDONLY | O_CLOEXEC);
		if (opened < 0) {
			int errnum = errno;
			stint_fail_errno(err, errnum, "cannot read %s", path);
			if (err && errnum == ENOENT)
				(*err)->code = STINT_NOT_FOUND;
			return false;
		}
	}
	int fd = standard_input ? STDIN_FILENO : opened;
	char chunk[16384];
	size_t total = 0;
	for (;;) {
		ssize_t got = read(fd, chunk, sizeof(chunk));
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0) {
			const int errnum = errno;
			stint_fail_errno(err, errnum, "cannot read %s", standard_input ? "standard input" : path);
			if (err && errnum == EISDIR) /* there, and no file: the wrong name was given */
				(*err)->code = STINT_USAGE;
			return false;
		}
		if (got == 0)
			return true;
		total += (size_t)got;
		if (total > max_bytes)
			return stint_fail(
				err, STINT_USAGE, "%s is larger than %zu bytes", standard_input ? "standard input" : path, max_bytes);
		stint_buf_add(buf, chunk, (size_t)got);
	}
}

static bool write_all(int fd, const char *data, size_t length)
{
	while (length > 0) {
		ssize_t wrote = write(fd, data, length);
		if (wrote < 0 && errno == EINTR)
			continue;
		if (wrote < 0)
			return false;
		data += wrote;
		length -= (size_t)wrote;
	}
	return true;
}

bool stint_file_write(const char *path, const void *data, size_t length, mode_t mode, struct stint_error **err)
{
	stint_autofree char *temporary = stint_format("%s.XXXXXX", path);
	stint_autoclose int fd = mkostemp(temporary, O_CLOEXEC);
	if (fd < 0)
		return stint_fail_errno(err, errno, "cannot write %s", path);
	if (fchmod(fd, mode) == 0 && write_all(fd, data, length) && fsync(fd) == 0 && rename(temporary, path) == 0)
		return true;
	int errnum = errno;
	unlink(temporary);
	return stint_fail_errno(err, errnum, "cannot write %s", path);
}

bool stint_make_folders(const char *path, mode_t mode, struct stint_error **err)
{
	stint_autofree char *prefix = stint_strdup(path);
	for (char *at = prefix + (prefix[0] == '/'); at; at++) {
		at = strchr(at, '/');
		if (at)
			*at = '\0';
		if (prefix[0] != '\0' && mkdir(prefix, mode) != 0 && errno != EEXIST)
			return stint_fail_errno(err, errno, "cannot make the folder %s", prefix);
		if (!at)
			break;
		*at = '/';
	}
	struct stat info;
	if (stat(path, &info) != 0 || !S_ISDIR(info.st_mode))
		return stint_fail(err, STINT_FAILED, "cannot make the folder %s: a file of that name is there", path);
	return true;
}
