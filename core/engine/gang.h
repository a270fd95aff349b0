/*
 * gang.h: the tree of a group that has parts, and what can be asked of it. state.h includes it; gang.c owns it.
 */
#ifndef STINT_ENGINE_GANG_H
#define STINT_ENGINE_GANG_H

#include <stint/engine.h>

struct pod;
struct group;
struct handles;

/* A part of a group: a set of parts, a set of pods, or what a name that does not exist stands for. */
enum part_kind { PART_SET, PART_PODS, PART_STRAY };
/* met: as many run as it needs; ready: as many are there; held: as many use their place, on their way out or not. */
enum part_state { PART_MET = 1, PART_READY = 2, PART_HELD = 4 };
struct part {
	char *name;
	char *topology, *required, *preferred; /* its constraint; NULL: none */
	uint8_t kind, state;
	uint32_t parent; /* STINT_NO_HANDLE: the root, or a stray */
	uint32_t rank; /* in the order of names */
	uint32_t need; /* pods, or members */
	uint32_t first_member, members_count; /* SET: in gang.members */
	uint32_t met, ready, held; /* SET: members that are so */
	uint32_t first_pod, pods; /* where they stand in the group's list while that is sorted */
	uint32_t first_waiting; /* no pod of its before this place in the list is pending */
	uint32_t pending, active, reserved, leaving; /* pods */
	uint32_t chunk_first, chunk_count; /* its pods in the chunk that was asked for last */
	uint32_t possible; /* for the chunk: pods or members that there can be */
};
struct gang {
	struct part *parts; /* the root first, parents before their members, strays last */
	uint32_t count, capacity, named; /* named: without strays */
	uint32_t *by_name; /* those named, sorted */
	uint32_t *members; /* of all sets, each set's together */
	uint32_t below, above; /* sets of pods that have fewer or more than they need */
	uint32_t least_pods; /* that must run for the root to be met */
	char *domain; /* for a record of reason TOPOLOGY: the one that came closest; NULL: none */
	bool implied; /* made here for a group that has no parts, to keep strays apart */
};

/* gang.c */
struct gang *engine_gang_new(const struct stint_part_spec *parts, size_t count); /* as stint_parts_check wants them */
void engine_gang_free(struct gang *gang);
bool engine_gang_same(const struct gang *gang, const struct stint_part_spec *parts, size_t count);
uint32_t engine_gang_part(struct gang *gang, const char *name);
void engine_gang_count(struct gang *gang, const struct pod *pod, int sign); /* the pod comes into its part's numbers or leaves them */
bool engine_gang_must_wait(const struct gang *gang); /* some set of pods would have less than it needs without its reservations */
void engine_gang_lacks(const struct gang *gang, struct stint_record *record); /* which part of a gang that is not ready */
uint32_t engine_gang_astray(const struct gang *gang); /* a stray part that has waiting pods */

static inline bool engine_part_met(const struct part *part)
{
	return part->state & PART_MET;
}

/* gang_order.c */
const uint32_t *engine_gang_members(struct gang *gang, const struct part *set); /* kai-engine 4.3: who needs most first */
void engine_gang_chunk(const struct stint_engine *engine, const struct group *group, bool with_evicted, struct handles *out);
void engine_gang_step(const struct stint_engine *engine, const struct group *group, struct handles *out);

#endif
