/*
 * gangs: the parts of a scenario that say which pods belong together: the gang of a workload, a tree of groups and sets of pods, and the
 * topologies that its parts may name.
 *
 * A gang of one set of pods without conditions is a minimum and nothing else, as it is to the engine. The bounds of a tree are the engine's.
 */
#include <string.h>

#include "scenario.h"

/* ---- topologies ----------------------------------------------------------------------------------------------------------------- */

enum { MOST_TOPOLOGIES = 1000 };

static bool read_topology(struct reader *r, const struct stint_json *object, const struct place *place, struct stint_topology *out)
{
	const struct stint_json *levels;
	const char *name;
	size_t count;
	if (!field_text(place, object, "name", &name, r->err) ||
		!field_array(place, object, "levels", STINT_MAX_LEVELS, &levels, &count, r->err))
		return false;
	struct stint_topology_level *items = scenario_room(r->scenario, count, sizeof *items);
	size_t at = 0;
	stint_json_each(level, levels) {
		if (!stint_json_string(level))
			return field_fail(place, "levels", r->err, "must be a list of node labels");
		items[at++].node_label = scenario_keep(r->scenario, stint_json_string(level));
	}
	*out = (struct stint_topology){
		.meta = scenario_object(r->scenario, STINT_KIND_TOPOLOGY, name, 0), .levels = items, .levels_count = (uint32_t)count};
	return true;
}

bool read_topologies(struct reader *r, const struct stint_json *document)
{
	const struct place list = {.key = "topologies", .index = -1};
	const struct stint_json *topologies;
	if (!field_array(NULL, document, "topologies", MOST_TOPOLOGIES, &topologies, &r->scenario->topologies_count, r->err))
		return false;
	r->scenario->topologies = scenario_room(r->scenario, r->scenario->topologies_count, sizeof *r->scenario->topologies);
	size_t at = 0;
	stint_json_each(topology, topologies) {
		const struct place here = {.above = &list, .index = (int64_t)at};
		if (!read_topology(r, topology, &here, &r->scenario->topologies[at]))
			return false;
		for (size_t i = 0; i < at; i++) {
			if (strcmp(r->scenario->topologies[i].meta.name, r->scenario->topologies[at].meta.name) == 0)
				return field_fail(&here, "name", r->err, "is taken: names are unique per kind");
		}
		at++;
	}
	return true;
}

/* ---- gangs -------------------------------------------------------------------------------------------------------------------------- */

struct parts {
	struct stint_part_spec *items;
	size_t count, capacity;
};

static void free_parts(struct parts *parts)
{
	stint_free_pointer(&parts->items);
}

static bool read_constraint(
	struct reader *r, const struct stint_json *object, const struct place *place, struct stint_topology_constraint *out)
{
	const struct place here = {.above = place, .key = "topology", .index = -1};
	const struct stint_json *constraint = stint_json_get(object, "topology");
	const char *name;
	*out = (struct stint_topology_constraint){0};
	if (stint_json_type(constraint) == STINT_JSON_NULL)
		return true;
	if (!field_text(&here, constraint, "topology", &name, r->err))
		return false;
	out->topology = scenario_keep(r->scenario, name);
	out->required_level = scenario_keep(r->scenario, stint_json_string_at(constraint, "required"));
	out->preferred_level = scenario_keep(r->scenario, stint_json_string_at(constraint, "preferred"));
	if (!out->required_level && !out->preferred_level)
		return field_fail(&here, NULL, r->err, "must have a required or a preferred level");
	return true;
}

static bool read_need(
	struct reader *r, const struct stint_json *object, const struct place *place, const char *key, uint32_t otherwise, uint32_t *out)
{
	double number;
	if (!field_number(place, object, key, 0, SCENARIO_MAX_PODS, -1, &number, r->err))
		return false;
	*out = number < 0 ? otherwise : (uint32_t)number;
	return true;
}

static struct stint_part_spec *add_part(struct parts *parts, uint32_t parent, bool inner)
{
	stint_grow(&parts->items, &parts->capacity, parts->count + 1, sizeof *parts->items);
	parts->items[parts->count] = (struct stint_part_spec){.name = "", .parent = parent, .inner = inner};
	return &parts->items[parts->count++];
}

static bool read_pod_sets(struct reader *r, const struct stint_json *group, const struct place *place, uint32_t parent, struct parts *parts)
{
	const struct place list = {.above = place, .key = "podSets", .index = -1};
	const struct stint_json *sets;
	size_t count;
	int64_t at = 0;
	if (!field_array(place, group, "podSets", STINT_MAX_PARTS, &sets, &count, r->err))
		return false;
	stint_json_each(set, sets) {
		const struct place here = {.above = &list, .index = at++};
		struct stint_part_spec part = {.parent = parent};
		if (!field_text(&here, set, "name", &part.name, r->err) ||
			!read_need(r, set, &here, "minAvailable", STINT_ALL, &part.needs) ||
			!read_constraint(r, set, &here, &part.constraint))
			return false;
		part.name = scenario_keep(r->scenario, part.name);
		*add_part(parts, parent, false) = part;
	}
	return true;
}

/* The document's depth is bounded by who parsed it, and that of a tree by stint_parts_check. */
static bool read_group(struct reader *r, const struct stint_json *group, const struct place *place, uint32_t index, struct parts *parts)
{
	const struct place list = {.above = place, .key = "groups", .index = -1};
	const struct stint_json *groups;
	struct stint_topology_constraint constraint;
	uint32_t needs;
	size_t count;
	int64_t at = 0;
	if (!read_need(r, group, place, "minMembers", STINT_ALL, &needs) || !read_constraint(r, group, place, &constraint) ||
		!read_pod_sets(r, group, place, index, parts) ||
		!field_array(place, group, "groups", STINT_MAX_PARTS, &groups, &count, r->err))
		return false;
	parts->items[index].needs = needs;
	parts->items[index].constraint = constraint;
	stint_json_each(member, groups) {
		const struct place here = {.above = &list, .index = at++};
		const char *name;
		const uint32_t place_of_member = (uint32_t)parts->count;
		if (!field_text(&here, member, "name", &name, r->err))
			return false;
		add_part(parts, index, true)->name = scenario_keep(r->scenario, name);
		if (!read_group(r, member, &here, place_of_member, parts))
			return false;
	}
	return true;
}

/* One set of pods, of the name that pods have by themselves, and no condition. */
static bool is_plain(const struct parts *parts)
{
	return parts->count == 2 && !parts->items[1].inner && strcmp(parts->items[1].name, "default") == 0 &&
		parts->items[0].needs == STINT_ALL && !parts->items[0].constraint.topology && !parts->items[1].constraint.topology;
}

/* A set of pods that does not say needs all of its pods. */
static void count_needs(const struct sim_workload *workload, struct parts *parts)
{
	for (size_t i = 0; i < parts->count; i++) {
		struct stint_part_spec *part = &parts->items[i];
		if (part->inner || part->needs != STINT_ALL)
			continue;
		part->needs = 0;
		for (size_t p = 0; p < workload->pods_count; p++) {
			const char *name = workload->pods[p].part;
			part->needs += strcmp(name ? name : "default", part->name) == 0;
		}
	}
}

bool read_gang(struct reader *r, const struct stint_json *workload, const struct place *place, struct sim_workload *out)
{
	const struct place here = {.above = place, .key = "gang", .index = -1};
	const struct stint_json *gang = stint_json_get(workload, "gang");
	out->group.min_member = (uint32_t)out->pods_count;
	if (stint_json_type(gang) == STINT_JSON_NULL)
		return true;
	STINT_CLEANUP(free_parts) struct parts parts = {0};
	struct stint_error *problem = NULL;
	add_part(&parts, 0, true);
	if (!read_group(r, gang, &here, 0, &parts))
		return false;
	count_needs(out, &parts);
	if (is_plain(&parts)) {
		out->group.min_member = parts.items[1].needs;
		return true;
	}
	if (!stint_parts_check(parts.items, parts.count, &problem)) {
		field_fail(&here, NULL, r->err, problem->message);
		stint_error_clear(&problem);
		return false;
	}
	struct stint_part_spec *kept = scenario_room(r->scenario, parts.count, sizeof *kept);
	memcpy(kept, parts.items, parts.count * sizeof *kept);
	out->group.parts = kept;
	out->group.parts_count = parts.count;
	return true;
}
