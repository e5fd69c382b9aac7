# decisions.c as gcc 12 -O2 compiles it. Above each function: edges and nodes of its control-flow graph,
# counted by hand with all ways out joined in one more node, and complexity = edges - nodes + 2.

	.text
	.globl	straight
# straight: edges 1, nodes 2: complexity: 1
	.type	straight, @function
straight:
	subq	$8, %rsp
	call	f@PLT
	addq	$8, %rsp
	addl	$1, %eax
	ret
	.size	straight, .-straight
	.globl	one_if
# one_if: edges 4, nodes 4: complexity: 2
	.type	one_if, @function
one_if:
	testl	%edi, %edi
	jne	.L13
	movl	$2, %edi
	jmp	f@PLT
.L13:
	subq	$8, %rsp
	movl	$1, %edi
	call	f@PLT
	movl	$2, %edi
	addq	$8, %rsp
	jmp	f@PLT
	.size	one_if, .-one_if
	.globl	two_exits
# two_exits: edges 4, nodes 4: complexity: 2
	.type	two_exits, @function
two_exits:
	testl	%edi, %edi
	jne	.L18
	subq	$8, %rsp
	movl	$3, %edi
	call	f@PLT
	movl	$4, %eax
	addq	$8, %rsp
	ret
.L18:
	movl	$1, %edi
	jmp	f@PLT
	.size	two_exits, .-two_exits
	.globl	if_else_chain
# if_else_chain: edges 10, nodes 8: complexity: 4
	.type	if_else_chain, @function
if_else_chain:
	subq	$8, %rsp
	cmpl	$1, %edi
	je	.L24
	cmpl	$22, %edi
	je	.L25
	cmpl	$333, %edi
	je	.L26
	movl	$2, %edi
	addq	$8, %rsp
	jmp	f@PLT
.L24:
	movl	$10, %edi
	call	f@PLT
	movl	$2, %edi
	addq	$8, %rsp
	jmp	f@PLT
.L25:
	movl	$11, %edi
	call	f@PLT
	movl	$2, %edi
	addq	$8, %rsp
	jmp	f@PLT
.L26:
	movl	$12, %edi
	call	f@PLT
	movl	$2, %edi
	addq	$8, %rsp
	jmp	f@PLT
	.size	if_else_chain, .-if_else_chain
	.globl	while_loop
# while_loop: edges 5, nodes 5: complexity: 2
	.type	while_loop, @function
while_loop:
	pushq	%rbp
	leal	1(%rdi), %ebp
	pushq	%rbx
	movl	%edi, %ebx
	subq	$8, %rsp
	jmp	.L28
.L29:
	movl	%ebp, %edi
	call	f@PLT
.L28:
	movl	%ebx, %edi
	call	f@PLT
	testl	%eax, %eax
	jne	.L29
	addq	$8, %rsp
	movl	$2, %edi
	popq	%rbx
	popq	%rbp
	jmp	f@PLT
	.size	while_loop, .-while_loop
	.globl	nested_loop
# nested_loop: edges 9, nodes 7: complexity: 4
	.type	nested_loop, @function
nested_loop:
	pushq	%r12
	movl	%edi, %r12d
	pushq	%rbp
	leal	2(%rdi), %ebp
	pushq	%rbx
	leal	1(%rdi), %ebx
	movl	%r12d, %edi
	call	f@PLT
	testl	%eax, %eax
	jne	.L35
	jmp	.L37
.L33:
	movl	%ebp, %edi
	call	f@PLT
.L35:
	movl	%ebx, %edi
	call	f@PLT
	testl	%eax, %eax
	jne	.L33
	movl	$4, %edi
	call	f@PLT
	movl	%r12d, %edi
	call	f@PLT
	testl	%eax, %eax
	jne	.L35
.L37:
	popq	%rbx
	movl	$2, %edi
	popq	%rbp
	popq	%r12
	jmp	f@PLT
	.size	nested_loop, .-nested_loop
	.globl	both_conditions
# both_conditions: edges 6, nodes 5: complexity: 3
	.type	both_conditions, @function
both_conditions:
	pushq	%rbx
	movl	%esi, %ebx
	call	f@PLT
	testl	%eax, %eax
	jne	.L46
.L40:
	movl	$2, %edi
	popq	%rbx
	jmp	f@PLT
.L46:
	movl	%ebx, %edi
	call	f@PLT
	testl	%eax, %eax
	je	.L40
	movl	$3, %edi
	call	f@PLT
	movl	$2, %edi
	popq	%rbx
	jmp	f@PLT
	.size	both_conditions, .-both_conditions
	.globl	ends_in_noreturn
# ends_in_noreturn: edges 4, nodes 4: complexity: 2
	.type	ends_in_noreturn, @function
ends_in_noreturn:
	subq	$8, %rsp
	call	f@PLT
	testl	%eax, %eax
	jne	.L50
	movl	$2, %edi
	addq	$8, %rsp
	jmp	f@PLT
.L50:
	call	fatal@PLT
	.size	ends_in_noreturn, .-ends_in_noreturn
	.globl	tail_call
# tail_call: edges 4, nodes 4: complexity: 2
	.type	tail_call, @function
tail_call:
	cmpl	$5, %edi
	jg	.L55
	subq	$8, %rsp
	subl	$1, %edi
	call	f@PLT
	addq	$8, %rsp
	addl	%eax, %eax
	ret
.L55:
	jmp	f@PLT
	.size	tail_call, .-tail_call
	.globl	dense_switch
# dense_switch: edges 19, nodes 12: complexity: 9
	.type	dense_switch, @function
dense_switch:
	cmpl	$7, %edi
	ja	.L68
	leaq	.L59(%rip), %rdx
	movl	%edi, %edi
	subq	$8, %rsp
	movslq	(%rdx,%rdi,4), %rax
	addq	%rdx, %rax
	jmp	*%rax
	.section	.rodata
	.align 4
	.align 4
.L59:
	.long	.L66-.L59
	.long	.L65-.L59
	.long	.L64-.L59
	.long	.L63-.L59
	.long	.L62-.L59
	.long	.L61-.L59
	.long	.L60-.L59
	.long	.L58-.L59
	.text
.L60:
	movl	$15, %edi
	call	f@PLT
	movl	$3, %edi
	call	f@PLT
	movl	$9, %edi
	addq	$8, %rsp
	jmp	f@PLT
.L58:
	movl	$42, %edi
	call	f@PLT
	movl	$9, %edi
	addq	$8, %rsp
	jmp	f@PLT
.L66:
	movl	$100, %edi
	call	f@PLT
	movl	$9, %edi
	addq	$8, %rsp
	jmp	f@PLT
.L65:
	movl	$57, %edi
	call	f@PLT
	movl	$9, %edi
	addq	$8, %rsp
	jmp	f@PLT
.L64:
	movl	$31, %edi
	call	f@PLT
	movl	$1, %edi
	call	f@PLT
	movl	$9, %edi
	addq	$8, %rsp
	jmp	f@PLT
.L63:
	movl	$7, %edi
	call	f@PLT
	movl	$9, %edi
	addq	$8, %rsp
	jmp	f@PLT
.L62:
	movl	$91, %edi
	call	f@PLT
	movl	$2, %edi
	call	f@PLT
	movl	$9, %edi
	addq	$8, %rsp
	jmp	f@PLT
.L61:
	movl	$77, %edi
	call	f@PLT
	movl	$9, %edi
	addq	$8, %rsp
	jmp	f@PLT
.L68:
	movl	$9, %edi
	jmp	f@PLT
	.size	dense_switch, .-dense_switch
	.section	.note.GNU-stack,"",@progbits
