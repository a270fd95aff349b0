/*
 * use: how busy the devices of a virtual node look. Pure: the same pod at the same time is always equally busy, so that screens and
 * tests can be repeated.
 */
#ifndef STINT_SANDBOX_USE_H
#define STINT_SANDBOX_USE_H

#include <stint/text.h>

enum {
	USE_MOVE_PERCENT = 5, /* a smaller change is not worth a write */
	USE_MIN_PERIOD_MS = 15000, /* between two writes that tell of a change */
	USE_STAMP_PERIOD_MS = 45000, /* a write for the time stamp alone: readers take a minute-old value as unknown */
	USE_WAVE_MS = 30000, /* how long a pod stays equally busy */
};

struct use_value {
	int util_percent;
	int64_t memory_mib;
};

/* What one pod adds to each of its devices; share is 1 for a whole device. */
struct use_value use_of_pod(const char *uid, double share, int64_t device_memory_mib, int64_t now_ms);
/*
 * Whether the node has something to write, so many milliseconds after its last write that told of a change and after its last write at
 * all. A time stamp does not hold a change up: what starts on a quiet node is seen at once.
 */
bool use_is_due(const struct use_value *now, const struct use_value *written, size_t count, int64_t device_memory_mib,
	int64_t since_change_ms, int64_t since_write_ms);
bool use_has_moved(const struct use_value *now, const struct use_value *written, size_t count, int64_t device_memory_mib);
/* "GPU-" and a UUID, made of the node's name and the slot. */
enum { USE_UUID_SIZE = 41 };
char *use_device_uuid(const char *node, size_t slot, char out[static USE_UUID_SIZE]);
/* The annotation's JSON (contracts: use of devices). */
char *use_annotation(const char *node, const struct use_value *devices, size_t count, int64_t now_ms);

#endif
