/* Bytes as hexadecimal digits, on command lines and in output. */
#ifndef HEX_H
#define HEX_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static inline _Noreturn void usage(const char *text)
{
	fprintf(stderr, "usage: %s\n", text);
	exit(2);
}

static inline int digit_value(char digit)
{
	const char *digits = "0123456789abcdef", *found = digit ? strchr(digits, digit) : NULL;

	return found ? (int)(found - digits) : -1;
}

/* Returns how many bytes; ends the program where the text is something else or longer than `room`. */
static inline size_t from_hex(const char *text, uint8_t *bytes, size_t room)
{
	size_t count = strlen(text) / 2;

	if (strlen(text) % 2 || count > room)
		usage("an even number of hexadecimal digits, not too many");
	for (size_t i = 0; i < count; i++) {
		int high = digit_value(text[2 * i]), low = digit_value(text[2 * i + 1]);

		if (high < 0 || low < 0)
			usage("hexadecimal digits in lower case");
		bytes[i] = (uint8_t)(high << 4 | low);
	}
	return count;
}

static inline void print_hex(const uint8_t *bytes, size_t count)
{
	for (size_t i = 0; i < count; i++)
		printf("%02x", bytes[i]);
	printf("\n");
}

#endif
