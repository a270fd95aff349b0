/*
 * demand: what a pod asks of a node and what the node has, resource by resource, so that a virtual kubelet can refuse what does not
 * fit. Pure. Amounts are thousandths of the resource's unit.
 */
#ifndef STINT_SANDBOX_DEMAND_H
#define STINT_SANDBOX_DEMAND_H

#include <stint/text.h>

struct demand_item {
	char *resource;
	int64_t milli;
};

struct demand {
	struct demand_item *items; /* by name, ascending */
	size_t count, capacity;
};
void demand_free(struct demand *amounts); /* the content */
int64_t demand_get(const struct demand *amounts, const char *resource); /* 0 when not there */
/* sum += sign * part. */
void demand_add(struct demand *sum, const struct demand *part, int sign);

/* Requests as the scheduler counts them: containers and sidecars summed, each init container on its own, overhead, and one of "pods". */
void demand_of_pod(const struct stint_json *pod, struct demand *out);
/* status.allocatable, else status.capacity. */
void demand_of_node(const struct stint_json *node, struct demand *out);
/*
 * The first resource that wanted needs more of than `have` has left beside `used`; NULL when all fit. A resource that the node does not
 * name at all counts as none of it.
 */
const struct demand_item *demand_excess(const struct demand *have, const struct demand *used, const struct demand *wanted);
/* How often the divisor goes into the quantity, rounded up, as the downward API reports resources. 0 when it is no quantity. */
int64_t demand_divide(const char *quantity, const char *divisor);

#endif
