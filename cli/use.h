/*
 * use: what of the cluster's nodes and devices is given away, and how busy it is: between the read verbs and what live has read.
 * What could not be read or is too old stays unknown; nothing here turns that into 0.
 */
#ifndef STINT_CLI_USE_H
#define STINT_CLI_USE_H

#include "cli/live.h"

/* A pod that holds a device, or a part of it. */
struct cli_device_user {
	const struct stint_pod *pod;
	const struct stint_workload *workload; /* NULL: of a scheduler that stint does not serve */
	double share; /* of the device; < 0: unknown */
};
struct cli_device {
	struct cli_device_user *users;
	size_t users_count, users_capacity;
	double allocated;
	struct stint_gpu_use use; /* what is unknown or older than a minute is -1 */
};
struct cli_node_use {
	const struct stint_node *node;
	double gpus_allocated;
	int64_t cpu_milli, memory_bytes, pods; /* requested by what stands on it */
	struct cli_device *devices;
	size_t devices_count;
};
struct cli_use {
	struct cli_node_use *nodes; /* by name */
	size_t nodes_count;
	bool pods_known; /* else allocations are unknown */
	struct stint_map *by_name; /* node name -> struct cli_node_use; borrowed values */
};

/* Of what live knows now; valid until it changes. live has NODES, and PODS where they may be read. */
struct cli_use *cli_use_take(struct cli_live *live, int64_t now_ms);
void cli_use_free(struct cli_use *use);

/* A node as an item of NodeList; a device as one of DeviceList. */
struct stint_json *cli_node_item(const struct cli_use *use, const struct cli_node_use *node);
struct stint_json *cli_device_item(const struct cli_use *use, const struct cli_node_use *node, size_t slot);
/* Mean use of the devices that a workload's pods hold: -1 unknown. *memory_mib: their memory in use, likewise. */
double cli_workload_util(const struct cli_use *use, const struct stint_workload *workload, double *memory_mib);

/* "45%", "unknown". */
char *cli_show_percent(const struct stint_json *value);
/* "3.5/8"; a NULL part is unknown. */
char *cli_show_part(const struct stint_json *part, const struct stint_json *whole, char *(*show)(double));

#endif
