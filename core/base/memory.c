/*
 * Memory: allocations abort on failure; a size that a peer controls is bounded before it comes here. Arenas hold many small things of one
 * lifetime: a list of blocks, the newest first; an allocation that does not fit a block gets one of its own.
 */
#include <errno.h>
#include <stdalign.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <stint/base.h>

static void *checked(void *memory)
{
	if (!memory)
		abort();
	return memory;
}

void *stint_alloc(size_t size)
{
	return checked(calloc(1, size ? size : 1));
}

void *stint_realloc(void *old, size_t size)
{
	return checked(realloc(old, size ? size : 1));
}

char *stint_strdup(const char *text)
{
	return text ? checked(strdup(text)) : NULL;
}

char *stint_strndup(const char *text, size_t length)
{
	char *copy = checked(malloc(length + 1));
	if (length > 0)
		memcpy(copy, text, length);
	copy[length] = '\0';
	return copy;
}

char *stint_vformat(const char *format, va_list args)
{
	char *text = NULL;
	if (vasprintf(&text, format, args) < 0)
		abort();
	return text;
}

char *stint_format(const char *format, ...)
{
	va_list args;
	va_start(args, format);
	char *text = stint_vformat(format, args);
	va_end(args);
	return text;
}

void stint_grow(void *items, size_t *capacity, size_t needed, size_t item_size)
{
	if (needed <= *capacity)
		return;
	size_t wanted = *capacity ? *capacity : 8;
	while (wanted < needed)
		wanted *= 2;
	size_t bytes;
	if (__builtin_mul_overflow(wanted, item_size, &bytes))
		abort();
	void *old;
	memcpy(&old, items, sizeof(old));
	void *grown = stint_realloc(old, bytes);
	memcpy(items, &grown, sizeof(grown));
	*capacity = wanted;
}

void stint_free_pointer(void *pointer_to_pointer)
{
	void *pointer;
	memcpy(&pointer, pointer_to_pointer, sizeof(pointer));
	free(pointer);
}

void stint_close_fd(int *fd)
{
	if (*fd >= 0) {
		int saved = errno;
		close(*fd);
		errno = saved;
	}
	*fd = -1;
}

struct block {
	struct block *next;
	size_t size, used;
	alignas(max_align_t) char data[];
};

struct stint_arena {
	struct block *current; /* the blocks in use, newest first */
	struct block *spare; /* emptied by a reset, waiting for reuse */
	size_t block_size, bytes;
};

struct stint_arena *stint_arena_new(size_t block_size)
{
	struct stint_arena *arena = stint_alloc(sizeof(*arena));
	arena->block_size = block_size ? block_size : (size_t)64 * 1024;
	return arena;
}

static struct block *block_for(struct stint_arena *arena, size_t size)
{
	if (arena->spare && arena->spare->size >= size) {
		struct block *block = arena->spare;
		arena->spare = block->next;
		return block;
	}
	size_t room = size > arena->block_size ? size : arena->block_size;
	struct block *block = stint_realloc(NULL, sizeof(*block) + room);
	block->size = room;
	arena->bytes += sizeof(*block) + room;
	return block;
}

void *stint_arena_alloc(struct stint_arena *arena, size_t size)
{
	size_t step = alignof(max_align_t);
	if (size > SIZE_MAX - step)
		abort();
	size = (size + step - 1) / step * step;
	struct block *block = arena->current;
	if (!block || block->size - block->used < size) {
		block = block_for(arena, size);
		block->used = 0;
		block->next = arena->current;
		arena->current = block;
	}
	void *memory = block->data + block->used;
	block->used += size;
	return memset(memory, 0, size);
}

char *stint_arena_strndup(struct stint_arena *arena, const char *text, size_t length)
{
	char *copy = stint_arena_alloc(arena, length + 1);
	if (length > 0)
		memcpy(copy, text, length);
	return copy;
}

void stint_arena_reset(struct stint_arena *arena)
{
	while (arena->current) {
		struct block *block = arena->current;
		arena->current = block->next;
		block->next = arena->spare;
		arena->spare = block;
	}
}

size_t stint_arena_bytes(const struct stint_arena *arena)
{
	return arena->bytes;
}

static void free_blocks(struct block *block)
{
	while (block) {
		struct block *next = block->next;
		free(block);
		block = next;
	}
}

void stint_arena_free(struct stint_arena *arena)
{
	if (!arena)
		return;
	free_blocks(arena->current);
	free_blocks(arena->spare);
	free(arena);
}
