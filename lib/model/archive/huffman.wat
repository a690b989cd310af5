;; The two loops of the Huffman encoder that see every byte. Numbers are addresses and lengths in the imported memory.
;; Built by `npm run build:wasm` into huffman-wasm.ts; a test proves that the bytes there are this text's.
(module
  (import "blocks" "memory" (memory 1 65536 shared))

  ;; Counts how often each byte value occurs in [at, end) and writes the 256 counts, as u32, at $counts. Needs 4 KiB there:
  ;; equal bytes in a row would wait for each other's addition, so four tables take turns and are summed at the end.
  (func (export "histogram") (param $at i32) (param $end i32) (param $counts i32)
    (local $word i64) (local $place i32)
    (memory.fill (local.get $counts) (i32.const 0) (i32.const 4096))

    (block $words_done
      (loop $words
        (br_if $words_done (i32.lt_u (i32.sub (local.get $end) (local.get $at)) (i32.const 8)))
        (local.set $word (i64.load (local.get $at)))
        (local.set $at (i32.add (local.get $at) (i32.const 8)))

        (local.set $place (i32.add (local.get $counts) (i32.shl (i32.and (i32.wrap_i64 (local.get $word)) (i32.const 255)) (i32.const 2))))
        (i32.store (local.get $place) (i32.add (i32.load (local.get $place)) (i32.const 1)))
        (local.set $place (i32.add (local.get $counts) (i32.and (i32.wrap_i64 (i64.shr_u (local.get $word) (i64.const 6))) (i32.const 1020))))
        (i32.store offset=1024 (local.get $place) (i32.add (i32.load offset=1024 (local.get $place)) (i32.const 1)))
        (local.set $place (i32.add (local.get $counts) (i32.and (i32.wrap_i64 (i64.shr_u (local.get $word) (i64.const 14))) (i32.const 1020))))
        (i32.store offset=2048 (local.get $place) (i32.add (i32.load offset=2048 (local.get $place)) (i32.const 1)))
        (local.set $place (i32.add (local.get $counts) (i32.and (i32.wrap_i64 (i64.shr_u (local.get $word) (i64.const 22))) (i32.const 1020))))
        (i32.store offset=3072 (local.get $place) (i32.add (i32.load offset=3072 (local.get $place)) (i32.const 1)))
        (local.set $place (i32.add (local.get $counts) (i32.and (i32.wrap_i64 (i64.shr_u (local.get $word) (i64.const 30))) (i32.const 1020))))
        (i32.store (local.get $place) (i32.add (i32.load (local.get $place)) (i32.const 1)))
        (local.set $place (i32.add (local.get $counts) (i32.and (i32.wrap_i64 (i64.shr_u (local.get $word) (i64.const 38))) (i32.const 1020))))
        (i32.store offset=1024 (local.get $place) (i32.add (i32.load offset=1024 (local.get $place)) (i32.const 1)))
        (local.set $place (i32.add (local.get $counts) (i32.and (i32.wrap_i64 (i64.shr_u (local.get $word) (i64.const 46))) (i32.const 1020))))
        (i32.store offset=2048 (local.get $place) (i32.add (i32.load offset=2048 (local.get $place)) (i32.const 1)))
        (local.set $place (i32.add (local.get $counts) (i32.and (i32.wrap_i64 (i64.shr_u (local.get $word) (i64.const 54))) (i32.const 1020))))
        (i32.store offset=3072 (local.get $place) (i32.add (i32.load offset=3072 (local.get $place)) (i32.const 1)))
        (br $words)))

    (block $bytes_done
      (loop $bytes
        (br_if $bytes_done (i32.ge_u (local.get $at) (local.get $end)))
        (local.set $place (i32.add (local.get $counts) (i32.shl (i32.load8_u (local.get $at)) (i32.const 2))))
        (i32.store (local.get $place) (i32.add (i32.load (local.get $place)) (i32.const 1)))
        (local.set $at (i32.add (local.get $at) (i32.const 1)))
        (br $bytes)))

    (local.set $place (local.get $counts))
    (loop $sums
      (i32.store (local.get $place)
        (i32.add
          (i32.add (i32.load (local.get $place)) (i32.load offset=1024 (local.get $place)))
          (i32.add (i32.load offset=2048 (local.get $place)) (i32.load offset=3072 (local.get $place)))))
      (local.set $place (i32.add (local.get $place) (i32.const 4)))
      (br_if $sums (i32.lt_u (local.get $place) (i32.add (local.get $counts) (i32.const 1024))))))

  ;; Writes the code of each byte of [at, end), at $out, after the $count bits (0-7) of $bits; then the code of the end of the
  ;; block, then an empty stored block, which ends on a byte boundary. Returns where it stopped writing.
  ;; $codes holds 257 u32: a code's bits, first bit lowest, in the lower half, its length (at most 14) in the upper half.
  ;; Up to eight bytes beyond the returned address are overwritten.
  (func (export "encode")
    (param $at i32) (param $end i32) (param $codes i32) (param $out i32) (param $bits i64) (param $count i64) (result i32)
    (local $code i64)

    ;; Four codes are at most 56 bits: with 7 bits left from before they fit in 64.
    (block $fours_done
      (loop $fours
        (br_if $fours_done (i32.lt_u (i32.sub (local.get $end) (local.get $at)) (i32.const 4)))
        (local.set $code (i64.load32_u (i32.add (local.get $codes) (i32.shl (i32.load8_u (local.get $at)) (i32.const 2)))))
        (local.set $bits (i64.or (local.get $bits) (i64.shl (i64.and (local.get $code) (i64.const 0xffff)) (local.get $count))))
        (local.set $count (i64.add (local.get $count) (i64.shr_u (local.get $code) (i64.const 16))))
        (local.set $code (i64.load32_u (i32.add (local.get $codes) (i32.shl (i32.load8_u offset=1 (local.get $at)) (i32.const 2)))))
        (local.set $bits (i64.or (local.get $bits) (i64.shl (i64.and (local.get $code) (i64.const 0xffff)) (local.get $count))))
        (local.set $count (i64.add (local.get $count) (i64.shr_u (local.get $code) (i64.const 16))))
        (local.set $code (i64.load32_u (i32.add (local.get $codes) (i32.shl (i32.load8_u offset=2 (local.get $at)) (i32.const 2)))))
        (local.set $bits (i64.or (local.get $bits) (i64.shl (i64.and (local.get $code) (i64.const 0xffff)) (local.get $count))))
        (local.set $count (i64.add (local.get $count) (i64.shr_u (local.get $code) (i64.const 16))))
        (local.set $code (i64.load32_u (i32.add (local.get $codes) (i32.shl (i32.load8_u offset=3 (local.get $at)) (i32.const 2)))))
        (local.set $bits (i64.or (local.get $bits) (i64.shl (i64.and (local.get $code) (i64.const 0xffff)) (local.get $count))))
        (local.set $count (i64.add (local.get $count) (i64.shr_u (local.get $code) (i64.const 16))))
        (local.set $at (i32.add (local.get $at) (i32.const 4)))

        (i64.store (local.get $out) (local.get $bits))
        (local.set $out (i32.add (local.get $out) (i32.wrap_i64 (i64.shr_u (local.get $count) (i64.const 3)))))
        (local.set $bits (i64.shr_u (local.get $bits) (i64.and (local.get $count) (i64.const 56))))
        (local.set $count (i64.and (local.get $count) (i64.const 7)))
        (br $fours)))

    ;; The bytes that are left, one at a time, and the end of the block.
    (block $ones_done
      (loop $ones
        (local.set $code
          (i64.load32_u
            (i32.add
              (local.get $codes)
              (i32.shl
                (if (result i32) (i32.lt_u (local.get $at) (local.get $end)) (then (i32.load8_u (local.get $at))) (else (i32.const 256)))
                (i32.const 2)))))
        (local.set $bits (i64.or (local.get $bits) (i64.shl (i64.and (local.get $code) (i64.const 0xffff)) (local.get $count))))
        (local.set $count (i64.add (local.get $count) (i64.shr_u (local.get $code) (i64.const 16))))
        (i64.store (local.get $out) (local.get $bits))
        (local.set $out (i32.add (local.get $out) (i32.wrap_i64 (i64.shr_u (local.get $count) (i64.const 3)))))
        (local.set $bits (i64.shr_u (local.get $bits) (i64.and (local.get $count) (i64.const 56))))
        (local.set $count (i64.and (local.get $count) (i64.const 7)))
        (br_if $ones_done (i32.ge_u (local.get $at) (local.get $end)))
        (local.set $at (i32.add (local.get $at) (i32.const 1)))
        (br $ones)))

    ;; An empty stored block: three zero bits, zeros up to the byte boundary, length 0 and its complement.
    (i64.store (local.get $out) (local.get $bits))
    (local.set $out (i32.add (local.get $out) (i32.wrap_i64 (i64.shr_u (i64.add (local.get $count) (i64.const 10)) (i64.const 3)))))
    (i32.store (local.get $out) (i32.const 0xffff0000))
    (i32.add (local.get $out) (i32.const 4))))
