/*
 * shapes: which virtual nodes a sandbox begins with, from flags or from a YAML file, and the Node objects they become.
 *
 * Pure: text in, trees out. A shape is a number of equal nodes; their names are PREFIX-0, PREFIX-1, ...
 */
#ifndef STINT_SANDBOX_SHAPES_H
#define STINT_SANDBOX_SHAPES_H

#include <stint/text.h>

enum {
	SHAPE_MAX_NODES = 20000, /* of all shapes together */
	SHAPE_MAX_GPUS = 64, /* of one node */
};

/* A GPU as the GPU operator's feature discovery calls it. */
struct gpu_model {
	const char *name; /* value of nvidia.com/gpu.product */
	const char *family; /* value of nvidia.com/gpu.family */
	int64_t memory_mib; /* of one device */
};

/* By its product name, with or without "NVIDIA-" or "Tesla-" before it, without regard to case; NULL when it is unknown. */
const struct gpu_model *gpu_model_find(const char *name);
/* The known names, one text "A, B, C" for messages and help. The caller frees it. */
char *gpu_model_names(void);

struct node_shape {
	char *prefix;
	int64_t count;
	int64_t gpus;
	char *gpu_product; /* NULL when gpus is 0 */
	char *gpu_family; /* NULL when not known */
	int64_t gpu_memory_mib;
	int64_t cpu_milli;
	int64_t memory_bytes;
	struct stint_json *labels; /* object or NULL */
	struct stint_json *taints; /* array or NULL */
};

struct node_shapes {
	struct node_shape *items;
	size_t count, capacity;
};
void node_shapes_free(struct node_shapes *shapes); /* frees the content; also for STINT_CLEANUP */

/* `count` equal nodes of the flags --nodes, --gpus and --gpu-model (NULL: A100-SXM4-80GB). */
bool node_shapes_uniform(int64_t count, int64_t gpus, const char *gpu_model, struct node_shapes *shapes, struct stint_error **err);
/*
 * A YAML list of {count, name, gpus, gpuModel, gpuMemory, cpu, memory, labels, taints}; all but count may be left out. An unknown key,
 * a model that is not known without its gpuMemory and a name used twice are errors that name the entry.
 */
bool node_shapes_parse(const char *file_name, const char *data, size_t length, struct node_shapes *shapes, struct stint_error **err);
size_t node_shapes_total(const struct node_shapes *shapes); /* nodes */
int64_t node_shapes_gpus(const struct node_shapes *shapes); /* devices of all nodes */

/* The Node object (without status.conditions) number `index` of the shape. */
struct stint_json *node_shape_object(const struct node_shape *shape, int64_t index);

#endif
