/* All pages one behind the other; pages_table.inc knows where each begins. */
        .section .rodata
        .global oa_pages_blob
        .hidden oa_pages_blob
        .type oa_pages_blob, @object
        .balign 16
oa_pages_blob:
        .incbin "pages.bin"
        .size oa_pages_blob, . - oa_pages_blob
        .section .note.GNU-stack, "", @progbits
