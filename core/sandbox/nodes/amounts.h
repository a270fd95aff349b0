/*
 * amounts: what a pod asks of a node and what the node has, resource by resource, so that a virtual kubelet can refuse what does not
 * fit. Pure. Amounts are thousandths of the resource's unit.
 */
#ifndef STINT_SANDBOX_AMOUNTS_H
#define STINT_SANDBOX_AMOUNTS_H

#include <stint/text.h>

struct amount {
	char *resource;
	int64_t milli;
};

struct amounts {
	struct amount *items; /* by name, ascending */
	size_t count, capacity;
};
void amounts_free(struct amounts *amounts); /* the content */
int64_t amounts_get(const struct amounts *amounts, const char *resource); /* 0 when not there */
/* sum += sign * part. */
void amounts_add(struct amounts *sum, const struct amounts *part, int sign);

/* Requests as the scheduler counts them: containers and sidecars summed, each init container on its own, overhead, and one of "pods". */
void amounts_of_pod(const struct stint_json *pod, struct amounts *out);
/* status.allocatable, else status.capacity. */
void amounts_of_node(const struct stint_json *node, struct amounts *out);
/*
 * The first resource that wanted needs more of than `have` has left beside `used`; NULL when all fit. A resource that the node does not
 * name at all counts as none of it.
 */
const struct amount *amounts_excess(const struct amounts *have, const struct amounts *used, const struct amounts *wanted);
/* How often the divisor goes into the quantity, rounded up, as the downward API reports resources. 0 when it is no quantity. */
int64_t amounts_divide(const char *quantity, const char *divisor);

#endif
