/*
 * recording: lines of a journal into a file. See recording.h.
 *
 * State: a file descriptor and how many bytes went there. A cycle's lines are one write. A failed write ends the recording, never the scheduling.
 */
#include <scheduler/recording.h>

#include <stint/journal.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct stint_recording {
	struct stint_recording_options options;
	struct stint_journal *journal;
	int fd; /* -1: it has failed */
	int64_t bytes; /* since the cluster was known */
	bool counts, told_full;
};

static void put(void *user, const char *lines, size_t length)
{
	struct stint_recording *recording = user;
	const struct stint_recording_options *options = &recording->options;
	size_t written = 0;
	while (recording->fd >= 0 && written < length) {
		const ssize_t count = write(recording->fd, lines + written, length - written);
		if (count < 0 && errno != EINTR) {
			stint_log(options->logger, STINT_LOG_ERROR, "the journal %s cannot be written (%s): it ends here", options->path,
				strerror(errno));
			stint_close_fd(&recording->fd);
			stint_journal_end(recording->journal);
		}
		written += count > 0 ? (size_t)count : 0;
	}
	recording->bytes += recording->counts ? (int64_t)length : 0;
	if (recording->fd < 0 || recording->told_full || options->most_bytes == 0 || recording->bytes < options->most_bytes)
		return;
	recording->told_full = true;
	options->full(options->user);
}

/* A file that is there is moved aside, which no device must be. */
bool stint_recording_possible(const char *path, struct stint_error **err)
{
	struct stat found;
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0640);
	if (fd >= 0) {
		unlink(path);
	} else if (errno == EEXIST) {
		fd = open(path, O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
		if (fd >= 0 && fstat(fd, &found) == 0 && !S_ISREG(found.st_mode)) {
			stint_close_fd(&fd);
			return stint_fail(err, STINT_USAGE, "the journal %s is no regular file: name one with --journal", path);
		}
	}
	if (fd < 0)
		return stint_fail_errno(err, errno, "the journal %s (--journal) cannot be written", path);
	stint_close_fd(&fd);
	return true;
}

struct stint_recording *stint_recording_begin(const struct stint_recording_options *options)
{
	stint_autofree char *before = stint_format("%s.1", options->path);
	if (rename(options->path, before) != 0 && errno != ENOENT)
		stint_log(options->logger, STINT_LOG_WARN, "the journal %s cannot be kept as %s (%s)", options->path, before,
			strerror(errno));
	const int fd = open(options->path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);
	if (fd < 0) {
		stint_log(options->logger, STINT_LOG_ERROR, "the journal %s cannot be made (%s): nothing is recorded", options->path,
			strerror(errno));
		return NULL;
	}
	struct stint_recording *recording = stint_alloc(sizeof *recording);
	*recording = (struct stint_recording){.options = *options, .fd = fd};
	recording->journal = stint_journal_new(options->engine, put, recording);
	stint_journal_flush(recording->journal);
	return recording;
}

void stint_recording_known(struct stint_recording *recording)
{
	if (!recording)
		return;
	stint_journal_flush(recording->journal);
	recording->counts = true;
}

void stint_recording_end(struct stint_recording *recording)
{
	if (!recording)
		return;
	recording->told_full = true;
	stint_journal_free(recording->journal);
	stint_close_fd(&recording->fd);
	free(recording);
}
