#include "textflag.h"

// Loops over n elements, n a positive multiple of 4: sixteen at a time, then four.

// func addVector(d, a, b *float64, n int)
TEXT ·addVector(SB), NOSPLIT, $0-32
	MOVQ d+0(FP), DI
	MOVQ a+8(FP), SI
	MOVQ b+16(FP), DX
	MOVQ n+24(FP), CX

sixteen:
	CMPQ CX, $16
	JLT  four
	VMOVUPD 0(SI), Y0
	VMOVUPD 32(SI), Y1
	VMOVUPD 64(SI), Y2
	VMOVUPD 96(SI), Y3
	VADDPD  0(DX), Y0, Y0
	VADDPD  32(DX), Y1, Y1
	VADDPD  64(DX), Y2, Y2
	VADDPD  96(DX), Y3, Y3
	VMOVUPD Y0, 0(DI)
	VMOVUPD Y1, 32(DI)
	VMOVUPD Y2, 64(DI)
	VMOVUPD Y3, 96(DI)
	ADDQ $128, SI
	ADDQ $128, DX
	ADDQ $128, DI
	SUBQ $16, CX
	JMP  sixteen

four:
	TESTQ CX, CX
	JLE  done
	VMOVUPD (SI), Y0
	VADDPD  (DX), Y0, Y0
	VMOVUPD Y0, (DI)
	ADDQ $32, SI
	ADDQ $32, DX
	ADDQ $32, DI
	SUBQ $4, CX
	JMP  four

done:
	VZEROUPPER
	RET

// func subVector(d, a, b *float64, n int)
TEXT ·subVector(SB), NOSPLIT, $0-32
	MOVQ d+0(FP), DI
	MOVQ a+8(FP), SI
	MOVQ b+16(FP), DX
	MOVQ n+24(FP), CX

sixteen:
	CMPQ CX, $16
	JLT  four
	VMOVUPD 0(SI), Y0
	VMOVUPD 32(SI), Y1
	VMOVUPD 64(SI), Y2
	VMOVUPD 96(SI), Y3
	VSUBPD  0(DX), Y0, Y0
	VSUBPD  32(DX), Y1, Y1
	VSUBPD  64(DX), Y2, Y2
	VSUBPD  96(DX), Y3, Y3
	VMOVUPD Y0, 0(DI)
	VMOVUPD Y1, 32(DI)
	VMOVUPD Y2, 64(DI)
	VMOVUPD Y3, 96(DI)
	ADDQ $128, SI
	ADDQ $128, DX
	ADDQ $128, DI
	SUBQ $16, CX
	JMP  sixteen

four:
	TESTQ CX, CX
	JLE  done
	VMOVUPD (SI), Y0
	VSUBPD  (DX), Y0, Y0
	VMOVUPD Y0, (DI)
	ADDQ $32, SI
	ADDQ $32, DX
	ADDQ $32, DI
	SUBQ $4, CX
	JMP  four

done:
	VZEROUPPER
	RET

// func mulVector(d, a, b *float64, n int)
TEXT ·mulVector(SB), NOSPLIT, $0-32
	MOVQ d+0(FP), DI
	MOVQ a+8(FP), SI
	MOVQ b+16(FP), DX
	MOVQ n+24(FP), CX

sixteen:
	CMPQ CX, $16
	JLT  four
	VMOVUPD 0(SI), Y0
	VMOVUPD 32(SI), Y1
	VMOVUPD 64(SI), Y2
	VMOVUPD 96(SI), Y3
	VMULPD  0(DX), Y0, Y0
	VMULPD  32(DX), Y1, Y1
	VMULPD  64(DX), Y2, Y2
	VMULPD  96(DX), Y3, Y3
	VMOVUPD Y0, 0(DI)
	VMOVUPD Y1, 32(DI)
	VMOVUPD Y2, 64(DI)
	VMOVUPD Y3, 96(DI)
	ADDQ $128, SI
	ADDQ $128, DX
	ADDQ $128, DI
	SUBQ $16, CX
	JMP  sixteen

four:
	TESTQ CX, CX
	JLE  done
	VMOVUPD (SI), Y0
	VMULPD  (DX), Y0, Y0
	VMOVUPD Y0, (DI)
	ADDQ $32, SI
	ADDQ $32, DX
	ADDQ $32, DI
	SUBQ $4, CX
	JMP  four

done:
	VZEROUPPER
	RET

// func addScalar(d, a *float64, y float64, n int)
TEXT ·addScalar(SB), NOSPLIT, $0-32
	MOVQ d+0(FP), DI
	MOVQ a+8(FP), SI
	VBROADCASTSD y+16(FP), Y15
	MOVQ n+24(FP), CX

sixteen:
	CMPQ CX, $16
	JLT  four
	VADDPD  0(SI), Y15, Y0
	VADDPD  32(SI), Y15, Y1
	VADDPD  64(SI), Y15, Y2
	VADDPD  96(SI), Y15, Y3
	VMOVUPD Y0, 0(DI)
	VMOVUPD Y1, 32(DI)
	VMOVUPD Y2, 64(DI)
	VMOVUPD Y3, 96(DI)
	ADDQ $128, SI
	ADDQ $128, DI
	SUBQ $16, CX
	JMP  sixteen

four:
	TESTQ CX, CX
	JLE  done
	VADDPD  (SI), Y15, Y0
	VMOVUPD Y0, (DI)
	ADDQ $32, SI
	ADDQ $32, DI
	SUBQ $4, CX
	JMP  four

done:
	VZEROUPPER
	RET

// func mulScalar(d, a *float64, y float64, n int)
TEXT ·mulScalar(SB), NOSPLIT, $0-32
	MOVQ d+0(FP), DI
	MOVQ a+8(FP), SI
	VBROADCASTSD y+16(FP), Y15
	MOVQ n+24(FP), CX

sixteen:
	CMPQ CX, $16
	JLT  four
	VMULPD  0(SI), Y15, Y0
	VMULPD  32(SI), Y15, Y1
	VMULPD  64(SI), Y15, Y2
	VMULPD  96(SI), Y15, Y3
	VMOVUPD Y0, 0(DI)
	VMOVUPD Y1, 32(DI)
	VMOVUPD Y2, 64(DI)
	VMOVUPD Y3, 96(DI)
	ADDQ $128, SI
	ADDQ $128, DI
	SUBQ $16, CX
	JMP  sixteen

four:
	TESTQ CX, CX
	JLE  done
	VMULPD  (SI), Y15, Y0
	VMOVUPD Y0, (DI)
	ADDQ $32, SI
	ADDQ $32, DI
	SUBQ $4, CX
	JMP  four

done:
	VZEROUPPER
	RET

// func addScaled(y, x *float64, s float64, n int)
TEXT ·addScaled(SB), NOSPLIT, $0-32
	MOVQ y+0(FP), DI
	MOVQ x+8(FP), SI
	VBROADCASTSD s+16(FP), Y15
	MOVQ n+24(FP), CX

sixteen:
	CMPQ CX, $16
	JLT  four
	VMULPD  0(SI), Y15, Y0
	VMULPD  32(SI), Y15, Y1
	VMULPD  64(SI), Y15, Y2
	VMULPD  96(SI), Y15, Y3
	VADDPD  0(DI), Y0, Y0
	VADDPD  32(DI), Y1, Y1
	VADDPD  64(DI), Y2, Y2
	VADDPD  96(DI), Y3, Y3
	VMOVUPD Y0, 0(DI)
	VMOVUPD Y1, 32(DI)
	VMOVUPD Y2, 64(DI)
	VMOVUPD Y3, 96(DI)
	ADDQ $128, SI
	ADDQ $128, DI
	SUBQ $16, CX
	JMP  sixteen

four:
	TESTQ CX, CX
	JLE  done
	VMULPD  (SI), Y15, Y0
	VADDPD  (DI), Y0, Y0
	VMOVUPD Y0, (DI)
	ADDQ $32, SI
	ADDQ $32, DI
	SUBQ $4, CX
	JMP  four

done:
	VZEROUPPER
	RET

// func dotVector(s *[4]float64, x, y *float64, n int)
TEXT ·dotVector(SB), NOSPLIT, $0-32
	MOVQ s+0(FP), DI
	MOVQ x+8(FP), SI
	MOVQ y+16(FP), DX
	MOVQ n+24(FP), CX
	VXORPD Y15, Y15, Y15

four:
	VMOVUPD (SI), Y0
	VMULPD  (DX), Y0, Y0
	VADDPD  Y0, Y15, Y15
	ADDQ $32, SI
	ADDQ $32, DX
	SUBQ $4, CX
	JGT  four
	VMOVUPD Y15, (DI)
	VZEROUPPER
	RET
