/*
 * terms: what pods want of other pods: near (affinity), far (anti-affinity), spread (topology spread constraints). A part of state.h.
 *
 * A term is a selector of pods with a node label; it counts, by area of that label, the pods that match it and those that avoid such pods.
 * Which terms match a pod belongs to what makes its shape, so that a placement costs its matches and a look at a node costs a few look-ups.
 * Invariant: the tallies equal the sum over pods with a node of what their shapes' matches and wants say, through engine_account alone.
 */
#ifndef STINT_ENGINE_TERMS_H
#define STINT_ENGINE_TERMS_H

struct shape;
struct pod;

/* The nodes by the value of one label: with the same value they are in one area. label NULL: each node is one, called by its handle. */
struct area {
	char *value; /* NULL: a free slot */
	uint32_t first, nodes;
};
struct areas {
	char *label;
	uint32_t refs; /* terms and constraints that go by it; 0: a free slot */
	struct area *items;
	size_t count, capacity;
	struct handles free_slots;
	struct stint_map *by_value;
	uint32_t *of, *next, *previous; /* by node: its area, STINT_NO_HANDLE where it lacks the label; and the list of a area's nodes */
	size_t nodes_capacity;
};

/* Pods in a area, leaving or not, reserved or not. */
struct tally {
	uint32_t area;
	uint32_t matching; /* pods that the term matches */
	uint32_t coming; /* those of them that are only reserved: nobody starts beside them yet */
	uint32_t avoiding; /* pods that must not be near to those */
	int64_t favour; /* sum of the weights with which pods here would like those near */
};

enum { TERM_LOG = 64 };
/*
 * A condition on other pods: pods that all parts match, by area. Pods with equal terms share one; it is known as long as a shape names it,
 * and a while longer.
 */
struct term {
	char *name; /* equal for equal terms; NULL: a free slot */
	struct stint_pod_terms *owner; /* keeps the parts alive */
	const struct stint_pod_term *parts;
	uint32_t parts_count;
	char *space; /* the namespace of those that want it */
	uint32_t areas;
	uint32_t refs;
	bool fresh; /* the pods that are known have not been matched with it yet */
	bool staying; /* does not match pods that are being deleted */
	bool starts; /* somebody must be near to such pods: the first of them makes a difference everywhere */
	bool graded; /* how many match makes a difference, not only whether some do */
	struct tally *tallies; /* open addressing, a power of two */
	size_t tallies_size, tallies_used;
	uint64_t matching, avoiding; /* in all areas */
	uint32_t log[TERM_LOG]; /* areas in which something changed, as a ring; STINT_NO_HANDLE: all */
	uint64_t changes;
};

struct preference {
	uint32_t term;
	int32_t weight;
};
struct watch {
	uint32_t term;
	uint64_t seen; /* of its changes */
};
/* A topology spread constraint as a shape has it. */
struct spread {
	uint32_t term, areas;
	int32_t max_skew, min_areas;
	bool any_node, no_tainted;
	bool self; /* a pod of the shape counts among those that are spread */
	uint64_t seen, stamp; /* what the numbers below were made of: changes of the term, specifications of nodes */
	uint8_t *eligible; /* by node */
	int64_t *counts; /* by area; -1: no eligible node there */
	size_t eligible_size, counts_size;
	int64_t least;
};
/* What a shape wants of other pods and what they want of it. All lists of terms are sorted by handle, but near, far and liked. */
struct shape_terms {
	struct stint_pod_terms *read; /* NULL: it wants nothing itself */
	uint32_t *near, *far;
	struct preference *liked;
	struct spread *spread;
	uint32_t near_count, far_count, liked_count, spread_count;
	uint32_t *matches; /* terms, anybody's, that match its pods */
	uint32_t matches_count;
	struct watch *watches;
	uint32_t watches_count;
	bool starts; /* its pods match all its near terms: the first one may go anywhere */
};

/* terms.c */
bool engine_spec_is_local(const struct stint_pod_spec *spec); /* its namespace makes a difference */
/* The terms that match the pod, sorted, in engine->face. */
void engine_terms_face(struct stint_engine *engine, const struct stint_pod *pod);
/* The handle of the term, made when new; the caller has one count. areas: of the nodes by that label, or by themselves (NULL). */
uint32_t engine_term_acquire(struct stint_engine *engine, struct stint_pod_terms *owner, const struct stint_pod_term *parts,
	uint32_t parts_count, const char *space, const char *label, bool staying);
void engine_term_release(struct stint_engine *engine, uint32_t term);
uint32_t engine_areas_acquire(struct stint_engine *engine, const char *label);
void engine_areas_release(struct stint_engine *engine, uint32_t areas);
void engine_terms_account(struct stint_engine *engine, const struct pod *pod, const struct shape *shape, int sign);
void engine_terms_node(struct stint_engine *engine, uint32_t node); /* its labels changed while its pods are out of the books */
void engine_terms_settle(struct stint_engine *engine); /* before anything is asked of terms in a cycle */
void engine_terms_free(struct stint_engine *engine); /* after the shapes */
bool engine_terms_labels_changed(const struct stint_engine *engine, const struct stint_pod *former, const struct stint_pod *now);
const struct tally *engine_tally(const struct term *term, uint32_t area);
static inline uint32_t engine_area_of(const struct areas *areas, uint32_t node)
{
	return !areas->label ? node : node < areas->nodes_capacity ? areas->of[node] : STINT_NO_HANDLE;
}
/* While a pod that leaves looks for a place, it is not in its own way. */
void engine_terms_step_aside(struct stint_engine *engine, uint32_t pod);
void engine_terms_step_back(struct stint_engine *engine);

/* affinity.c */
void engine_affinity_read(struct stint_engine *engine, struct shape *shape); /* engine->face: the terms that match its pods */
void engine_affinity_discard(struct stint_engine *engine, struct shape *shape);
/* LATER: what it must be near to is only reserved there. */
enum fit engine_affinity_fit(const struct stint_engine *engine, const struct shape *shape, uint32_t node);
/* STINT_CAUSE_COUNT: nothing that other pods want or have is in the way on that node. */
enum stint_cause engine_affinity_cause(const struct stint_engine *engine, const struct shape *shape, uint32_t node);
int64_t engine_affinity_score(
	const struct stint_engine *engine, const struct shape *shape, uint32_t node); /* kai-engine 5.2, podaffinity */
/* Appends the nodes to which something has changed since it was last called for the shape; true: all of them. */
bool engine_affinity_follow(struct stint_engine *engine, struct shape *shape, struct handles *nodes);
bool engine_affinity_hopes(const struct shape *shape); /* a pod that comes may open a place to it */
/* Forgets the memos of waiting groups that hope; how many there were. Once a cycle: each group has one turn in it. */
size_t engine_affinity_wake(struct stint_engine *engine);
bool engine_affinity_avoids_itself(const struct shape *shape);

/* spread.c */
bool engine_spread_follow(struct stint_engine *engine, const struct shape *shape, struct spread *spread, struct handles *nodes);
bool engine_spread_allows(const struct stint_engine *engine, const struct spread *spread, uint32_t node);

#endif
