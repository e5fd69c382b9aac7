# A program without symbols but with Go's function table, made by hand in the layout of Go 1.20: two functions, the
# second with two lines of another file in its middle.
	.text
text:
	.globl _start
_start:
first:
	nop
	nop
	ret
second:
	nop
	nop
	nop
	ret
text_end:

	.section .gopclntab, "a"
table:
	.long 0xfffffff1
	.byte 0, 0, 1, 8
	.quad 2                    # functions
	.quad 2                    # files
	.quad text
	.quad names - table
	.quad units - table
	.quad files - table
	.quad steps - table
	.quad functions - table
names:
	.asciz "main.first"
name2:
	.asciz "main.(*T).second"
	.balign 4
units:
	.long file1 - files, file2 - files
files:
file1:
	.asciz "example.org/prog/main.go"
file2:
	.asciz "example.org/prog/other.go"
steps:
	.byte 0                    # offset 0 means "no table"
first_files:                       # file 0 for 3 bytes
	.byte 2, 3, 0
first_lines:                       # line 10, then 12 for the last byte
	.byte 22, 2, 4, 1, 0
second_files:                      # file 0, file 1 for 2 bytes, file 0
	.byte 2, 1, 2, 2, 1, 1, 0
second_lines:                      # line 20, 5, 6, 22
	.byte 42, 1, 29, 1, 2, 1, 32, 1, 0
	.balign 4
functions:
	.long first - text, first_function - functions
	.long second - text, second_function - functions
	.long text_end - text
first_function:
	.long first - text, names - names, 0, 0, 0
	.long first_files - steps, first_lines - steps, 0, 0
	.long 9                    # declared in line 9
	.byte 0, 0, 0, 0
second_function:
	.long second - text, name2 - names, 0, 0, 0
	.long second_files - steps, second_lines - steps, 0, 0
	.long 19
	.byte 0, 0, 0, 0
	.section .note.GNU-stack,"",@progbits
