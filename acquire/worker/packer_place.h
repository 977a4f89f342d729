/*
 * Memory for ISA-L's compressor at an address that makes what it compresses depend on the bytes
 * alone.
 *
 * The assembly of level 1 (2.30, SSE to AVX2) hashes, for the third byte of its input, not the
 * bytes there but bits 16 to 47 of the address of the state that it was given. One place of its
 * 8192 for matches is thereby taken that another run leaves free, and of some ten thousand chunks
 * one comes out a few bytes different, equally valid. A resumed image is to be the image that was
 * not interrupted byte for byte, so all states lie where that hash (CRC-32C, the lowest 13 bits) is
 * 0: in each 4 GiB of addresses there are 8 such places.
 */
#ifndef EXHIBIT_ACQUIRE_PACKER_PLACE_H
#define EXHIBIT_ACQUIRE_PACKER_PLACE_H

#include <stddef.h>

/* `size` bytes of zeros, to be given back with packer_place_free(). Where so much address space may
   not be reserved for a moment, they lie anywhere; NULL without memory. */
void *packer_place_new(size_t size);
void packer_place_free(void *place, size_t size);

#endif
