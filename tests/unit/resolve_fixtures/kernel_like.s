# What the kernel does to control flow that compilers do not. Edges and nodes counted by hand, with all ways out
# joined in one more node; complexity = edges - nodes + 2.

	.text
# warns: a ud2 with the warning flag goes on, one without ends. edges 4, nodes 4: complexity: 2
	.globl warns
	.type warns, @function
warns:
	testl %edi, %edi
	je .Lfatal
.Lwarn:	ud2
	ret
.Lfatal: ud2
	.size warns, .-warns

	.section __bug_table, "aw"
	.long .Lwarn - ., 0
	.short 10, 1
	.long .Lfatal - ., 0
	.short 11, 0

	.text
# has_static_key: a nop that the kernel may patch to a jump. edges 4, nodes 4: complexity: 2
	.globl has_static_key
	.type has_static_key, @function
has_static_key:
.Lkey:	.byte 0x0f, 0x1f, 0x44, 0x00, 0x00
	ret
.Lenabled:
	call callee
	ret
	.size has_static_key, .-has_static_key

	.section __jump_table, "aw"
	.long .Lkey - ., .Lenabled - .
	.quad key - .
	.data
key:	.quad 0

	.text
# retpoline: an indirect tail call through a thunk leaves. edges 4, nodes 4: complexity: 2
	.globl retpoline
	.type retpoline, @function
retpoline:
	testl %edi, %edi
	jne .Lplain
	jmp __x86_indirect_thunk_rax
.Lplain:
	jmp __x86_return_thunk
	.size retpoline, .-retpoline

# feature_test: static_cpu_has goes through code outside every function. edges 8, nodes 7: complexity: 3
	.globl feature_test
	.type feature_test, @function
feature_test:
	testl %edi, %edi
	je .Lno
	jmp .Laux
.Lyes:
	call callee
.Lno:
	ret
	.size feature_test, .-feature_test

	.section .altinstr_aux, "ax"
.Laux:
	testb $1, flags(%rip)
	jnz .Lyes
	jmp .Lno

	.data
flags:	.byte 0

	.text
# split: the cold part belongs to its function. edges 4, nodes 4: complexity: 2
	.globl split
	.type split, @function
split:
	testl %edi, %edi
	js split.cold
.Lback:
	ret
	.size split, .-split

	.section .text.unlikely, "ax"
	.type split.cold, @function
split.cold:
	call callee
	jmp .Lback
	.size split.cold, .-split.cold

	.text
# A graph without a way out is strongly connected as it is, so here it is edges - nodes + 1.
# never_returns: so a call of it ends a block. edges 1, nodes 1: complexity: 1
	.globl never_returns
	.type never_returns, @function
never_returns:
	pause
	jmp never_returns
	.size never_returns, .-never_returns

# calls_never_returns: what follows the call is reached by the branch only. edges 4, nodes 4: complexity: 2
	.globl calls_never_returns
	.type calls_never_returns, @function
calls_never_returns:
	testl %edi, %edi
	je .Lafter
	call never_returns
.Lafter:
	ret
	.size calls_never_returns, .-calls_never_returns

# absolute_table: entries are addresses, two of them the same; the comparison bounds them to three. edges 7,
# nodes 6, so
# absolute_table: complexity: 3
	.globl absolute_table
	.type absolute_table, @function
absolute_table:
	cmpl $2, %edi
	ja .Ldefault
	movl %edi, %edi
	jmp *.Ltable(,%rdi,8)
.Lfirst:
	call callee
	ret
.Lsecond:
	ret
.Ldefault:
	ret
	.size absolute_table, .-absolute_table

	.section .rodata
	.align 8
.Ltable:
	.quad .Lfirst, .Lsecond, .Lfirst
	.quad .Ldefault

	.text
# young: instructions that older disassemblers do not know. edges 4, nodes 4: complexity: 2
	.globl young
	.type young, @function
young:
	.byte 0x0f, 0x01, 0xee                     # rdpkru
	.byte 0xf3, 0x48, 0x0f, 0xae, 0xc0         # rdfsbase %rax
	.byte 0x66, 0x48, 0x0f, 0x38, 0xf5, 0x5d, 0x00  # wrussq %rbx, 0(%rbp)
	testl %eax, %eax
	je .Lzero
	.byte 0x0f, 0x01, 0xe8                     # serialize
	ret
.Lzero:
	ret
	.size young, .-young

	.globl callee
	.type callee, @function
# callee: edges 1, nodes 2: complexity: 1
callee:
	ret
	.size callee, .-callee

	.section .init.text, "ax"
	.globl first_steps
	.type first_steps, @function
# first_steps: edges 1, nodes 2: complexity: 1
first_steps:
	call imported
	jmp callee
	.size first_steps, .-first_steps
	.section .note.GNU-stack,"",@progbits
