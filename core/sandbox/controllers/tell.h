/*
 * tell: Events about objects, as controllers and kubelets of a real cluster write them. One Event per (object, reason, message): a
 * repetition raises its count, so that a crash loop does not fill the store.
 */
#ifndef STINT_SANDBOX_TELL_H
#define STINT_SANDBOX_TELL_H

#include "core/sandbox/api.h"

/* type is "Normal" or "Warning"; about is the whole object, with apiVersion and kind. An Event that cannot be written is let go. */
void event_tell(struct stint_api *api, const char *component, const struct stint_json *about, const char *type, const char *reason,
	const char *message);
/*
 * Removes Events that were last seen longer than an hour ago, as the API server of a real cluster does, and of what is left the oldest
 * writes beyond `most`: there they would fill a disk, here they would fill the memory. Costs a look at each Event, a parse only of those
 * made longer than an hour ago.
 */
void events_expire(struct stint_api *api, int64_t now_ms, size_t most);

#endif
