/*
 * A hash map from text to pointer: the entries stand in a dense array in order of insertion; a table of slots, at most three quarters
 * full, points into it by linear probing. A removal leaves a hole in the array, which the next rebuild closes, and shifts the slots
 * back, so that no tombstones are left: that is what makes removing while walking safe. The hash is FNV-1a over a random seed with a
 * final mix: keys of a peer cannot be chosen to collide.
 */
#include <stdlib.h>
#include <string.h>

#include <stint/base.h>

struct entry {
	char *key; /* NULL: a hole */
	void *value;
	uint64_t hash;
};

struct stint_map {
	struct entry *entries;
	size_t used; /* entries, holes included */
	size_t count; /* entries without holes */
	uint32_t *slots; /* 0: free; else the index of an entry, plus one */
	size_t capacity; /* of slots: a power of two, or 0; the array of entries has three quarters of it */
	uint64_t seed;
	void (*free_value)(void *value);
	bool borrows; /* keys are the caller's */
};

struct stint_map *stint_map_new(void (*free_value)(void *value))
{
	struct stint_map *map = stint_alloc(sizeof(*map));
	map->free_value = free_value;
	stint_random_bytes(&map->seed, sizeof(map->seed));
	return map;
}

struct stint_map *stint_map_new_borrowing(void (*free_value)(void *value))
{
	struct stint_map *map = stint_map_new(free_value);
	map->borrows = true;
	return map;
}

static void drop_key(const struct stint_map *map, char *key)
{
	if (!map->borrows)
		free(key);
}

/* A map that borrows never writes to its keys. */
static char *take_key(const struct stint_map *map, const char *key)
{
	char *kept = NULL;
	if (!map->borrows)
		return stint_strdup(key);
	memcpy(&kept, &key, sizeof kept);
	return kept;
}

static uint64_t hash_of(const struct stint_map *map, struct stint_slice key)
{
	uint64_t hash = 14695981039346656037ULL ^ map->seed;
	for (size_t i = 0; i < key.length; i++)
		hash = (hash ^ (unsigned char)key.data[i]) * 1099511628211ULL;
	hash ^= hash >> 32;
	hash *= 0x9fb21c651e98df25ULL ^ (map->seed | 1);
	return hash ^ hash >> 29;
}

/* The slot that points to the key's entry, or SIZE_MAX. */
static size_t find(const struct stint_map *map, struct stint_slice key)
{
	if (!map || map->count == 0)
		return SIZE_MAX;
	uint64_t hash = hash_of(map, key);
	for (size_t at = hash & (map->capacity - 1); map->slots[at]; at = (at + 1) & (map->capacity - 1)) {
		const struct entry *entry = &map->entries[map->slots[at] - 1];
		if (entry->hash == hash && stint_slice_is(key, entry->key))
			return at;
	}
	return SIZE_MAX;
}

static void point(struct stint_map *map, size_t index)
{
	size_t at = map->entries[index].hash & (map->capacity - 1);
	while (map->slots[at])
		at = (at + 1) & (map->capacity - 1);
	map->slots[at] = (uint32_t)index + 1;
}

/* Closes the holes, and doubles the room unless closing them freed enough. */
static void rebuild(struct stint_map *map)
{
	if (4 * map->count >= 3 * (map->capacity / 2)) {
		map->capacity = map->capacity ? map->capacity * 2 : 16;
		if (map->capacity > UINT32_MAX / 2)
			abort();
		map->entries = stint_realloc(map->entries, map->capacity / 4 * 3 * sizeof(*map->entries));
	}
	free(map->slots);
	map->slots = stint_alloc(map->capacity * sizeof(*map->slots));
	size_t kept = 0;
	for (size_t index = 0; index < map->used; index++) {
		if (!map->entries[index].key)
			continue;
		map->entries[kept] = map->entries[index];
		point(map, kept++);
	}
	map->used = kept;
}

void *stint_map_get_slice(const struct stint_map *map, struct stint_slice key)
{
	size_t slot = find(map, key);
	return slot == SIZE_MAX ? NULL : map->entries[map->slots[slot] - 1].value;
}

void *stint_map_get(const struct stint_map *map, const char *key)
{
	return stint_map_get_slice(map, stint_slice_of(key));
}

bool stint_map_has(const struct stint_map *map, const char *key)
{
	return find(map, stint_slice_of(key)) != SIZE_MAX;
}

void stint_map_set(struct stint_map *map, const char *key, void *value)
{
	struct stint_slice slice = stint_slice_of(key);
	size_t slot = find(map, slice);
	if (slot != SIZE_MAX) {
		struct entry *entry = &map->entries[map->slots[slot] - 1];
		if (map->free_value && entry->value != value)
			map->free_value(entry->value);
		entry->value = value;
		if (map->borrows)
			entry->key = take_key(map, key);
		return;
	}
	if (map->used == map->capacity / 4 * 3)
		rebuild(map);
	map->entries[map->used] = (struct entry){take_key(map, key), value, hash_of(map, slice)};
	point(map, map->used++);
	map->count++;
}

static void close_gap(struct stint_map *map, size_t gap)
{
	size_t mask = map->capacity - 1;
	for (size_t at = (gap + 1) & mask; map->slots[at]; at = (at + 1) & mask) {
		size_t home = map->entries[map->slots[at] - 1].hash & mask;
		/* A slot may move back to the gap unless its home lies between the gap and where it stands. */
		if (((at - home) & mask) >= ((at - gap) & mask)) {
			map->slots[gap] = map->slots[at];
			gap = at;
		}
	}
	map->slots[gap] = 0;
}

void *stint_map_take(struct stint_map *map, const char *key)
{
	size_t slot = find(map, stint_slice_of(key));
	if (slot == SIZE_MAX)
		return NULL;
	struct entry *entry = &map->entries[map->slots[slot] - 1];
	close_gap(map, slot);
	void *value = entry->value;
	drop_key(map, entry->key);
	*entry = (struct entry){0};
	map->count--;
	return value;
}

bool stint_map_remove(struct stint_map *map, const char *key)
{
	if (!stint_map_has(map, key))
		return false;
	void *value = stint_map_take(map, key);
	if (map->free_value)
		map->free_value(value);
	return true;
}

size_t stint_map_count(const struct stint_map *map)
{
	return map ? map->count : 0;
}

void stint_map_clear(struct stint_map *map)
{
	for (size_t index = 0; index < map->used; index++) {
		if (!map->entries[index].key)
			continue;
		drop_key(map, map->entries[index].key);
		if (map->free_value)
			map->free_value(map->entries[index].value);
	}
	free(map->entries);
	free(map->slots);
	map->entries = NULL;
	map->slots = NULL;
	map->capacity = map->count = map->used = 0;
}

void stint_map_free(struct stint_map *map)
{
	if (!map)
		return;
	stint_map_clear(map);
	free(map);
}

bool stint_map_next(const struct stint_map *map, size_t *at, const char **key, void **value)
{
	while (map && *at < map->used) {
		const struct entry *entry = &map->entries[(*at)++];
		if (!entry->key)
			continue;
		if (key)
			*key = entry->key;
		if (value)
			*value = entry->value;
		return true;
	}
	return false;
}
