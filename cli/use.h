/*
 * use: what of the cluster's nodes and devices is given away, and how busy it is, as the read verbs tell it. The sums are those of the set of
 * workloads. What could not be read or is too old stays unknown; nothing here turns that into 0.
 */
#ifndef STINT_CLI_USE_H
#define STINT_CLI_USE_H

#include "cli/live.h"

/* Of what live knows now; valid until it changes. live has NODES, and PODS where they may be read. */
struct cli_use {
	struct stint_workload_set *set;
	const struct stint_node_use *const *nodes; /* by name */
	size_t nodes_count;
	bool pods_known; /* else allocations are unknown */
};
struct cli_use cli_use_take(struct cli_live *live, int64_t now_ms);

/* A node as an item of NodeList; a device as one of DeviceList. */
struct stint_json *cli_node_item(const struct cli_use *use, const struct stint_node_use *node);
struct stint_json *cli_device_item(const struct cli_use *use, const struct stint_node_use *node, size_t slot);
/* What of a device's memory in use is counted for one of its pods: by the shares that they have been given; < 0: it cannot be told. */
double cli_device_part_mib(const struct stint_device_use *device, const struct stint_pod *pod);
/* Mean use of the devices that a workload's pods hold: -1 unknown. *memory_mib: its parts of their memory in use, likewise. */
double cli_workload_util(const struct cli_use *use, const struct stint_workload *workload, double *memory_mib);

/* "45%", "unknown". */
char *cli_show_percent(const struct stint_json *value);
/* "3.5/8"; a NULL part is unknown. */
char *cli_show_part(const struct stint_json *part, const struct stint_json *whole, char *(*show)(double));

#endif
