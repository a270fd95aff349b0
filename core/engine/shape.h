/*
 * shape: equivalence classes of pods (shapes.c) with the ranking of the nodes that each keeps (ranking.c). A part of state.h.
 */
#ifndef STINT_ENGINE_SHAPE_H
#define STINT_ENGINE_SHAPE_H

/* The nodes in the order in which a shape wants them: a tournament whose root is the best. */
struct ranking {
	uint64_t *scores; /* by node; 0: does not fit */
	uint32_t *winners; /* winners[1] is the best; leaves at width + node */
	uint8_t *fixed; /* by node: the cause that its specification gives, STINT_CAUSE_COUNT: none */
	uint32_t width; /* 0: there is no ranking */
	uint64_t seen; /* the place in the change log up to which it has caught up */
	uint32_t policy, names; /* stamps of what it was made for */
	uint64_t claims;
	uint64_t used; /* when it was last asked */
	uint64_t played; /* tells apart the times that all of it was made */
};

struct shape_extended {
	uint32_t resource; /* STINT_NO_HANDLE: no node offers it */
	int64_t amount;
};

/* Pods that ask for the same on the same conditions (an equivalence class). */
struct shape {
	struct stint_pod *sample; /* keeps the specification alive; NULL: a free slot */
	const struct stint_pod_spec *spec;
	uint32_t refs, hash, next; /* refs 0: idle, kept for the next pod that asks for it */
	uint32_t lent; /* of the refs, those for a trial, which are no pods */
	bool apart; /* for a trial and not in the table */
	uint64_t idle_since;
	uint64_t born; /* tells it from all shapes that ever were */
	int64_t cpu_milli, memory_bytes;
	enum stint_gpu_kind gpu;
	uint32_t devices;
	double portion;
	int64_t memory_mib;
	int32_t percent; /* FRACTION: of each device; WHOLE: 100; MEMORY: 0, depends on the node */
	bool mig; /* asks for MIG instances: then not for devices (kai-engine 1.2) */
	int32_t mig_percent; /* what those count for, in hundredths of a device */
	struct amounts asked; /* kai-engine 1.2: GPU memory not included */
	int64_t asked_mib; /* devices * memory_mib */
	bool selective; /* node selector or required affinity */
	struct shape_extended *extended;
	uint32_t extended_count;
	bool guaranteed;
	struct pool_list pools; /* that its pods may use, as a set: by handle; none: all */
	char *space; /* its namespace where that makes a difference, else NULL */
	char *problem; /* why no pod of it can be placed as it is written; NULL: nothing */
	struct shape_terms *terms; /* NULL: other pods are nothing to it, nor it to them */
	uint32_t claims_count;
	struct shape_claim *claims;
	struct stint_reach *reach; /* NULL: every node will do */
	int32_t claim_percent; /* GPUs through claims; part of asked */
	uint64_t empty_seen, empty_copies; /* hopeless.c: so many copies at least, by the first nodes, as nodes were then */
	uint32_t empty_next; /* the first node that is not counted in these */
	struct ranking ranking;
};

#endif
