/*
 * recording: the journal of a session in a file (stint/journal.h says what stands in it; `stint simulate --replay FILE` decides it again).
 *
 * A file begins with an engine that knows nothing, so each stands alone. The one before is kept as FILE.1, which bounds what is on disk: when
 * a file is full its session is asked to end, and the next one begins another.
 */
#ifndef STINT_SCHEDULER_RECORDING_H
#define STINT_SCHEDULER_RECORDING_H

#include <stint/engine.h>

struct stint_recording_options {
	struct stint_engine *engine; /* new; it must outlive the recording */
	const char *path; /* borrowed */
	int64_t most_bytes; /* after what the cluster was at first, which may be any size; 0: no bound */
	const struct stint_logger *logger;
	void (*full)(void *user); /* once, from within a cycle or a change of the engine: do no more than set a timer */
	void *user;
};
struct stint_recording;
/* Whether a file can be written there now. Leaves what is there as it is, and nothing that was not: others may write it at this time. */
bool stint_recording_possible(const char *path, struct stint_error **err);
/* NULL when the file cannot be made, which the logger is told: scheduling goes on without. */
struct stint_recording *stint_recording_begin(const struct stint_recording_options *options);
void stint_recording_known(struct stint_recording *recording); /* the cluster is known: from now on bytes count. NULL is fine */
void stint_recording_end(struct stint_recording *recording); /* NULL is fine */

#endif
