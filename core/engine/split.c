/*
 * split: which domains may take a part that is bound to a topology, in the order in which they are tried (kai-engine 10.2 to 10.4).
 *
 * From the anchor, the deepest domain that all nodes in question share, the tree is sorted: the domain that would be used most comes first,
 * which packs domains as binpack packs nodes. Candidates are the domains of the finest acceptable level from left to right, then those
 * of the level above, up to the required one. Whether one can take the part is judged by its sums, then by its nodes; both never say
 * no to what fits, so the placement itself has the last word.
 * Where we differ from KAI on purpose: the anchor is never below the level that is asked for (its defect 17), a preferred level that is
 * coarser than the required one is as good as none, nodes that take no pods are not counted, and pods of several sizes are not all taken
 * for the largest.
 * Costs: O(domains below the anchor) to sort them, O(nodes of a candidate) to look at it.
 */
#include "state.h"
#include "topology.h"

/* ---- what is asked for ------------------------------------------------------------------------------------------------------------ */

static int64_t whole_devices(const struct shape *shape)
{
	return shape->gpu == STINT_GPU_WHOLE ? shape->devices : 0;
}

static int64_t less(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static void add_extended(const struct stint_engine *engine, struct demand *demand, const struct shape *shape)
{
	for (uint32_t i = 0; i < shape->extended_count; i++) {
		const uint32_t resource = shape->extended[i].resource;
		if (resource < engine->extended_stride)
			demand->extended[resource] = plus(demand->extended[resource], shape->extended[i].amount);
	}
}

static void sum_up(struct stint_engine *engine, struct demand *demand, const struct part *part)
{
	struct amounts sum = {0}, least = {INT64_MAX, INT64_MAX, INT64_MAX};
	const uint32_t *pods = engine->chunk.items + part->chunk_first;
	demand->pods = part->chunk_count;
	demand->whole = 0;
	demand->shape = engine->pods[pods[0]].shape;
	stint_grow(&demand->extended, &demand->extended_capacity, engine->extended_stride + 1, sizeof *demand->extended);
	memset(demand->extended, 0, (engine->extended_stride + 1) * sizeof *demand->extended);
	for (uint32_t i = 0; i < demand->pods; i++) {
		const uint32_t handle = engine->pods[pods[i]].shape;
		const struct shape *shape = &engine->shapes[handle];
		if (handle != demand->shape)
			demand->shape = STINT_NO_HANDLE;
		amounts_add(&sum, &shape->asked, 1);
		sum.gpu_percent -= shape->mig_percent; /* those are resources of their own on a node */
		least.cpu_milli = less(least.cpu_milli, shape->cpu_milli);
		least.memory_bytes = less(least.memory_bytes, shape->memory_bytes);
		least.gpu_percent = less(least.gpu_percent, 100 * whole_devices(shape));
		demand->whole += whole_devices(shape);
		add_extended(engine, demand, shape);
	}
	demand->sum = sum;
	demand->least = least;
}

/* ---- what a domain has --------------------------------------------------------------------------------------------------------------- */

static double part_of(int64_t asked, double has)
{
	return asked <= 0 ? 0 : has > 0 ? (double)asked / has : 1000;
}

static double larger(double a, double b)
{
	return a > b ? a : b;
}

static double ratio_of(const struct stint_engine *engine, const struct demand *demand, const struct domain *domain)
{
	double ratio = part_of(demand->sum.cpu_milli, (double)domain->cpu_milli);
	ratio = larger(ratio, part_of(demand->sum.memory_bytes, (double)domain->memory_bytes));
	ratio = larger(ratio, part_of(demand->sum.gpu_percent, (double)domain->gpus * 100));
	for (size_t i = 0; i < engine->extended_stride && domain->extended; i++)
		ratio = larger(ratio, part_of(demand->extended[i], (double)domain->extended[i]));
	return ratio;
}

/* By sums. Shares of devices are left to the nodes: a device in part use counts for nothing here. */
static bool may_fit(const struct stint_engine *engine, const struct demand *demand, const struct domain *domain)
{
	if (demand->sum.cpu_milli > domain->cpu_milli || demand->sum.memory_bytes > domain->memory_bytes || demand->whole > domain->gpus)
		return false;
	for (size_t i = 0; i < engine->extended_stride && domain->extended; i++) {
		if (demand->extended[i] > domain->extended[i])
			return false;
	}
	return true;
}

static int64_t times(int64_t has, int64_t asked, int64_t otherwise)
{
	return asked <= 0 ? otherwise : has <= 0 ? 0 : has / asked;
}

/* How many of the part's pods the node may take at most; the ranking of their shape is current. */
static int64_t room_on(const struct stint_engine *engine, const struct demand *demand, uint32_t node)
{
	const struct books *books = &engine->books[node];
	if (!books->open)
		return 0;
	if (demand->shape != STINT_NO_HANDLE) {
		const struct shape *shape = &engine->shapes[demand->shape];
		return shape->ranking.scores[node] ? engine_room_for(engine, shape, node) : 0;
	}
	int64_t room = (int64_t)books->pods_idle + books->pods_leaving;
	room = less(room, times(plus(books->cpu_idle, books->cpu_leaving), demand->least.cpu_milli, room));
	room = less(room, times(plus(books->memory_idle, books->memory_leaving), demand->least.memory_bytes, room));
	room = less(room, times(((int64_t)books->gpus_idle + books->gpus_leaving) * 100, demand->least.gpu_percent, room));
	return room > 0 ? room : 0;
}

static uint64_t room_in(struct stint_engine *engine, const struct demand *demand, const struct field *field)
{
	uint64_t room = 0;
	if (demand->shape != STINT_NO_HANDLE && engine_ranking_best(engine, demand->shape) == STINT_NO_HANDLE)
		return 0;
	for (uint32_t i = 0; i < field->count; i++)
		room += (uint64_t)room_on(engine, demand, field->nodes[i]);
	return room;
}

/* ---- the tree below the anchor ---------------------------------------------------------------------------------------------------------- */

static uint32_t anchor_of_all(const struct stint_engine *engine, const struct topology *topology, uint32_t bottom)
{
	uint32_t at = topology->root;
	while (engine->domains[at].level < bottom) {
		const uint32_t child = engine->domains[at].first_child;
		if (child == STINT_NO_HANDLE || engine->domains[child].next != STINT_NO_HANDLE)
			break;
		at = child;
	}
	return at;
}

static uint32_t common(const struct stint_engine *engine, uint32_t a, uint32_t b)
{
	while (a != b) {
		if (engine->domains[a].level >= engine->domains[b].level)
			a = engine->domains[a].parent;
		else
			b = engine->domains[b].parent;
	}
	return a;
}

static uint32_t anchor_of(const struct stint_engine *engine, const struct split *split)
{
	const struct field *within = split->within;
	if (within->all)
		return anchor_of_all(engine, split->topology, split->bottom);
	uint32_t anchor = STINT_NO_HANDLE;
	for (uint32_t i = 0; i < within->count; i++) {
		const uint32_t domain = split->topology->nodes[within->nodes[i]].domain;
		if (domain != STINT_NO_HANDLE)
			anchor = anchor == STINT_NO_HANDLE ? domain : common(engine, anchor, domain);
	}
	return anchor == STINT_NO_HANDLE ? split->topology->root : engine_domain_above(engine, anchor, split->bottom);
}

static bool is_used_more(const struct stint_engine *engine, uint32_t a, uint32_t b)
{
	const struct domain *p = &engine->domains[a], *q = &engine->domains[b];
	return p->ratio != q->ratio ? p->ratio > q->ratio : strcmp(p->value, q->value) < 0;
}

static void sort_tree(struct stint_engine *engine, struct split *split, uint32_t anchor)
{
	split->order.count = 0;
	split->anchor_level = engine->domains[anchor].level;
	split->first[split->anchor_level] = 0;
	handles_push(&split->order, anchor);
	for (uint32_t level = split->anchor_level; level < split->bottom; level++) {
		const size_t begin = split->first[level], end = split->order.count;
		split->first[level + 1] = (uint32_t)end;
		for (size_t i = begin; i < end; i++) {
			const size_t children = split->order.count;
			uint32_t child = engine->domains[split->order.items[i]].first_child;
			for (; child != STINT_NO_HANDLE; child = engine->domains[child].next) {
				engine->domains[child].ratio = ratio_of(engine, &split->demand, &engine->domains[child]);
				handles_push(&split->order, child);
			}
			engine_sort(engine, split->order.items + children, split->order.count - children, is_used_more);
		}
	}
	split->first[split->bottom + 1] = (uint32_t)split->order.count;
}

/* Pods of the part that run already hold it in the domains of the required level where they are. True: there are such pods. */
static bool pin(struct stint_engine *engine, struct split *split, const struct group *group, const struct part *part)
{
	bool any = false;
	for (uint32_t i = 0; i < part->members_count; i++)
		any = pin(engine, split, group, &group->gang->parts[group->gang->members[part->first_member + i]]) || any;
	for (uint32_t i = 0; part->kind == PART_PODS && i < part->pods && part->active; i++) {
		const struct pod *pod = &engine->pods[group->pods[part->first_pod + i]];
		if (!engine_pod_active(pod))
			continue;
		any = true;
		const uint32_t domain = split->topology->nodes[pod->node].domain;
		if (domain != STINT_NO_HANDLE)
			engine->domains[engine_domain_above(engine, domain, split->required)].pinned = split->pin;
	}
	return any;
}

bool engine_split_start(
	struct stint_engine *engine, struct split *split, const struct group *group, const struct part *part, const struct field *within)
{
	split->part = part;
	split->within = within;
	split->topology = engine_topology_named(engine, part->topology);
	if (!split->topology)
		return false;
	split->required = part->required ? engine_topology_level(split->topology, part->required) : 0;
	split->preferred = part->preferred ? engine_topology_level(split->topology, part->preferred) : 0;
	if ((part->required && !split->required) || (part->preferred && !split->preferred))
		return false;
	if (split->preferred < split->required)
		split->preferred = 0;
	split->bottom = split->preferred ? split->preferred : split->required;
	sum_up(engine, &split->demand, part);
	sort_tree(engine, split, anchor_of(engine, split));
	split->top = split->required > split->anchor_level ? split->required : split->anchor_level;
	split->pin = ++engine->splits;
	if (!split->required || !pin(engine, split, group, part))
		split->pin = 0;
	split->level = split->bottom;
	split->at = split->first[split->level];
	return true;
}

/* ---- candidates ------------------------------------------------------------------------------------------------------------------------- */

/* Goes through the domain's nodes that are in question. bonus: what each gets; inherit: what it has where it comes from. */
static void gather(
	const struct stint_engine *engine, const struct split *split, uint32_t handle, uint8_t bonus, bool inherit, struct field *out)
{
	const struct domain *domain = &engine->domains[handle];
	for (uint32_t child = domain->first_child; child != STINT_NO_HANDLE; child = engine->domains[child].next)
		gather(engine, split, child, bonus, inherit, out);
	for (uint32_t node = domain->first_node; node != STINT_NO_HANDLE; node = split->topology->nodes[node].next) {
		if (!engine_field_has(split->within, node))
			continue;
		const bool has_bonus = inherit && !split->within->all;
		engine_field_add(out, node, has_bonus ? split->within->bonus[split->within->position[node]] : bonus);
	}
}

/* kai-engine 10.4: what spans several domains of the preferred level begins with the emptiest. */
static void gather_by_preference(const struct stint_engine *engine, const struct split *split, uint32_t candidate, struct field *out)
{
	const uint32_t begin = split->first[split->preferred], count = split->first[split->preferred + 1] - begin;
	const uint32_t level = engine->domains[candidate].level;
	for (uint32_t i = 0; i < count; i++) {
		const uint32_t domain = split->order.items[begin + i];
		if (engine_domain_above(engine, domain, level) == candidate)
			gather(engine, split, domain, (uint8_t)(10 * (i + 1) / count), false, out);
	}
}

static void enter(struct stint_engine *engine, const struct split *split, uint32_t candidate, struct field *out)
{
	engine_field_clear(engine, out);
	if (split->preferred > engine->domains[candidate].level)
		gather_by_preference(engine, split, candidate, out);
	else
		gather(engine, split, candidate, 0, split->preferred == 0, out);
}

static bool is_allowed(const struct stint_engine *engine, const struct split *split, uint32_t candidate)
{
	return !split->pin || engine->domains[engine_domain_above(engine, candidate, split->required)].pinned == split->pin;
}

bool engine_split_next(struct stint_engine *engine, struct split *split, struct field *out)
{
	for (;;) {
		if (split->at == split->first[split->level + 1]) {
			if (split->level == split->top)
				return false;
			split->at = split->first[--split->level];
			continue;
		}
		const uint32_t candidate = split->order.items[split->at++];
		if (!is_allowed(engine, split, candidate) || !may_fit(engine, &split->demand, &engine->domains[candidate]))
			continue;
		enter(engine, split, candidate, out);
		if (room_in(engine, &split->demand, out) >= split->demand.pods)
			return true;
	}
}

uint32_t engine_split_closest(struct stint_engine *engine, struct split *split, struct field *room, uint32_t *pods)
{
	uint32_t closest = STINT_NO_HANDLE;
	uint64_t most = 0;
	for (uint32_t at = split->first[split->top]; at < split->first[split->top + 1]; at++) {
		const uint32_t candidate = split->order.items[at];
		if (!is_allowed(engine, split, candidate))
			continue;
		enter(engine, split, candidate, room);
		const uint64_t now = room_in(engine, &split->demand, room);
		if (closest != STINT_NO_HANDLE && now <= most)
			continue;
		closest = candidate;
		most = now;
	}
	*pods = most < split->demand.pods ? (uint32_t)most : split->demand.pods - 1;
	return closest;
}

void engine_split_free(struct split *split)
{
	free(split->order.items);
	free(split->demand.extended);
}
