/*
 * subgroups: spec.subGroups to parts. See stint/grouping.h. Holds no state.
 *
 * An entry that is somebody's parent holds parts, any other one holds pods. The object lists them in any order; here parents come before
 * their members, and what no way from the root leads to is a ring of parents.
 */
#include "private.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

static bool is_constraint(const struct stint_topology_constraint *constraint)
{
	return constraint && constraint->topology && (constraint->required_level || constraint->preferred_level);
}

static struct stint_topology_constraint constraint_of(const struct stint_topology_constraint *constraint)
{
	return is_constraint(constraint) ? *constraint : (struct stint_topology_constraint){0};
}

static void make_root(struct stint_subgroups *out, size_t room, int32_t needs, const struct stint_topology_constraint *constraint)
{
	out->parts = stint_alloc((room + 1) * sizeof(*out->parts));
	out->parts[0] = (struct stint_part_spec){
		.name = "", .inner = true, .needs = needs >= 0 ? (uint32_t)needs : STINT_ALL, .constraint = constraint_of(constraint)};
	out->count = 1;
}

void subgroups_root(struct stint_subgroups *out, const struct stint_topology_constraint *constraint)
{
	make_root(out, 0, -1, constraint);
}

/* Parents are looked up in lower case, as KAI does. */
static char *lower(const char *name)
{
	char *text = stint_strdup(name);
	for (char *at = text; at && *at; at++)
		*at = (char)tolower((unsigned char)*at);
	return text;
}

struct tree {
	const struct stint_pod_group *group;
	struct stint_map *by_name; /* place in group->subgroups, from 1 */
	uint32_t *first, *next; /* members of each, from 1; first[0]: of the root */
};

static bool find_parents(struct tree *tree, struct stint_error **err)
{
	for (uint32_t i = 0; i < tree->group->subgroups_count; i++) {
		if (stint_map_has(tree->by_name, tree->group->subgroups[i].name))
			return stint_fail(err, STINT_USAGE, "two sub-groups have the name \"%s\"", tree->group->subgroups[i].name);
		stint_map_set(tree->by_name, tree->group->subgroups[i].name, (void *)(uintptr_t)(i + 1));
	}
	for (uint32_t i = tree->group->subgroups_count; i > 0; i--) {
		const struct stint_subgroup *entry = &tree->group->subgroups[i - 1];
		stint_autofree char *parent = lower(entry->parent);
		const size_t above = parent ? (size_t)(uintptr_t)stint_map_get(tree->by_name, parent) : 0;
		if (parent && !above)
			return stint_fail(err, STINT_USAGE, "sub-group \"%s\" has the parent \"%s\", which does not exist", entry->name,
				entry->parent);
		tree->next[i] = tree->first[above];
		tree->first[above] = i;
	}
	return true;
}

/* Breadth first: parts[i] is made of entries[i], and its members are appended when its turn comes. */
static bool append_all(const struct tree *tree, struct stint_subgroups *out, struct stint_error **err)
{
	const uint32_t count = tree->group->subgroups_count;
	stint_autofree uint32_t *entries = stint_alloc((count + 1) * sizeof(*entries));
	for (size_t at = 0; at < out->count; at++) {
		for (uint32_t member = tree->first[entries[at]]; member; member = tree->next[member]) {
			const struct stint_subgroup *entry = &tree->group->subgroups[member - 1];
			const bool inner = tree->first[member] != 0;
			entries[out->count] = member;
			out->parts[out->count++] = (struct stint_part_spec){.name = entry->name,
				.parent = (uint32_t)at,
				.inner = inner,
				.needs = inner ? (entry->min_subgroup >= 0 ? (uint32_t)entry->min_subgroup : STINT_ALL)
					       : (entry->min_member > 0 ? (uint32_t)entry->min_member : 0),
				.constraint = constraint_of(&entry->constraint)};
		}
	}
	if (out->count < count + 1)
		return stint_fail(err, STINT_USAGE, "sub-groups are each other's parents");
	return stint_parts_check(out->parts, out->count, err);
}

static bool read_tree(struct stint_subgroups *out, const struct stint_pod_group *group, const struct stint_topology_constraint *constraint,
	struct stint_error **err)
{
	const size_t room = group->subgroups_count + 1;
	stint_autofree uint32_t *first = stint_alloc(room * sizeof(*first));
	stint_autofree uint32_t *next = stint_alloc(room * sizeof(*next));
	struct tree tree = {.group = group, .by_name = stint_map_new(NULL), .first = first, .next = next};
	make_root(out, group->subgroups_count, group->min_subgroup, constraint);
	const bool ok = find_parents(&tree, err) && append_all(&tree, out, err);
	stint_map_free(tree.by_name);
	return ok;
}

bool stint_subgroups_read(struct stint_subgroups *out, const struct stint_pod_group *group,
	const struct stint_topology_constraint *constraint, int32_t minimum, struct stint_error **err)
{
	*out = (struct stint_subgroups){0};
	if (group && is_constraint(&group->constraint))
		constraint = &group->constraint;
	if (group && group->subgroups_count > STINT_MAX_PARTS - 1)
		return stint_fail(err, STINT_USAGE, "%u sub-groups are more than %d", group->subgroups_count, STINT_MAX_PARTS - 1);
	if (group && group->subgroups_count) {
		if (read_tree(out, group, constraint, err))
			return true;
		stint_subgroups_clear(out);
		return false;
	}
	if (!is_constraint(constraint))
		return true;
	make_root(out, 1, -1, constraint);
	out->parts[out->count++] = (struct stint_part_spec){.name = "default", .needs = minimum > 0 ? (uint32_t)minimum : 0};
	return true;
}

uint32_t stint_subgroups_left(uint32_t needs, int64_t succeeded)
{
	return (int64_t)needs > succeeded ? needs - (uint32_t)succeeded : 0;
}

void stint_subgroups_lower(struct stint_subgroups *subgroups, const char *part, int64_t succeeded)
{
	for (size_t i = 0; i < subgroups->count; i++) {
		struct stint_part_spec *spec = &subgroups->parts[i];
		if (!spec->inner && strcmp(spec->name, part) == 0)
			spec->needs = stint_subgroups_left(spec->needs, succeeded);
	}
}

void stint_subgroups_clear(struct stint_subgroups *subgroups)
{
	free(subgroups->parts);
	stint_strings_free(subgroups->names);
	*subgroups = (struct stint_subgroups){0};
}
